#pragma once

#include "app/client/command.hpp"
#include "app/client/task_filter.hpp"

#include <string>
#include <vector>

/// The commands that act on tasks which are named by their ids, or by what they have in common.
namespace rolecall::client {

struct chosen_tasks : command_options {
  std::vector<std::string> ids;
  task_filter filter;
  std::string context;

  bool has_filter() const { return !filter.empty() || !context.empty(); }

  /// The filter as parameters of a query. Empty if there is none.
  std::string query(const char* first) const;

  /// Adds ID and the filter's options. The choice outlives the parsing.
  void add_options(CLI::App& command);
};

struct cancel_options : chosen_tasks {
  bool all{false};
};

struct retry_options : chosen_tasks {
  bool failed{false};
};

/// Adds `cancel` and `retry`.
void add_commands_for_many(CLI::App& app, std::function<int()>& run);

/// Asks `ask` for each id. One that fails does not keep the others from being asked: what is wrong
/// with it is told, and the exit code says so at the end.
int for_each_id(const std::vector<std::string>& ids, std::vector<json>& views,
                const std::function<json(const std::string&)>& ask);

/// Prints what the node told of the tasks with these ids: a table, or its JSON.
void print_tasks(const std::vector<json>& views, const std::vector<std::string>& ids, bool as_json);

} // namespace rolecall::client
