#pragma once

#include "app/client/task_json.hpp"

#include <CLI/CLI.hpp>

#include <string>
#include <vector>

namespace rolecall::client {

/// Which tasks to list or to watch.
struct task_filter {
  std::string role;
  std::string states; ///< separated by commas
  std::vector<std::string> labels;

  /// Adds `--role`, `--state` and `--label`. The filter outlives the parsing.
  void add_options(CLI::App& command);

  bool empty() const { return role.empty() && states.empty() && labels.empty(); }

  /// The filter as parameters of a query, the first of them after `first` ("?" or "&"). Empty if
  /// there is none.
  std::string query(const char* first) const;
};

} // namespace rolecall::client
