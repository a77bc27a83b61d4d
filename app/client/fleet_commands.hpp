#pragma once

#include "app/client/command.hpp"

#include <CLI/CLI.hpp>

#include <functional>
#include <string>

namespace rolecall::client {

/// Adds `roles`, `nodes` and `stats`.
void add_fleet_commands(CLI::App& app, std::function<int()>& run);

/// The part of `rolecall agents` that asks a node instead of serving agents.
struct agents_query : command_options {
  std::string role;
  std::string state;
  std::string spawn; ///< a role to spawn an agent for
  std::string drain; ///< the id of an agent to drain
};

/// Adds its options, in a group of their own, and gives them.
std::vector<CLI::Option*> add_agents_query(CLI::App& command, agents_query& query);

/// Lists the agents of a node, or spawns or drains one. Gives the exit code.
int run_agents_query(const agents_query& query);

} // namespace rolecall::client
