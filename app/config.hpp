#pragma once

#include "actors/coordinator/task_book.hpp"
#include "actors/health/health_checks.hpp"
#include "actors/manager/fleet.hpp"
#include "actors/router/routing_table.hpp"
#include "actors/workers/pool_actor.hpp"
#include "app/cluster_settings.hpp"
#include "app/node_options.hpp"
#include "messages/json_reader.hpp"

#include <filesystem>
#include <string>
#include <variant>
#include <vector>

namespace rolecall {

/// Everything that can be configured, validated. The defaults are those of the options' own types.
struct config {
  fleet_options fleet;
  question_options questions; ///< to agents services
  router_options router;
  coordinator_options coordinator;
  pool_options pool;
  health_options health;
  node_options node;
  std::optional<cluster_settings> cluster; ///< none: a node alone
  std::string journal_path{"rolecall.db"}; ///< of a node; empty: it keeps nothing
};

/// One service called "local" at http://localhost:8052, and defaults for the rest.
config default_config();

/// Reads a configuration. Every problem of the text is told, each with its JSON pointer.
std::variant<config, std::vector<problem>> parse_config(std::string_view text);

/// Checks the base URL of an agents service; gives what is wrong with it, if something is.
std::optional<std::string> service_url_problem(const std::string& url);

/// The text of a file, or what is wrong ("cannot read x: No such file or directory").
std::variant<std::string, std::string> read_file(const std::filesystem::path& path,
                                                 std::size_t max_bytes);

} // namespace rolecall
