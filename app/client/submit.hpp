#pragma once

#include "app/client/command.hpp"

#include <string>

namespace rolecall::client {

/// The command line of `rolecall submit`. Empty texts: not given.
struct submit_options : command_options {
  std::string file;
  std::string role;
  std::string input;
  std::string timeout{"24h"}; ///< checked
  bool wait{false};
};

/// Submits tasks and, if asked to, waits for their ends. Gives the exit code: 0 if all were
/// accepted and, with `wait`, completed; 1 if not; 2 if the input is wrong; 130 after a signal.
int submit(node_client& node, const submit_options& options);

} // namespace rolecall::client
