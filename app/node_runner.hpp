#pragma once

#include <optional>
#include <string>

namespace rolecall {

struct run_node_options {
  std::string config_file;            ///< empty: the default
  std::string listen;                 ///< empty: as configured
  std::optional<std::string> journal; ///< its file; as configured if there is none
  std::string roles_file;             ///< empty: no bundled service, unless the default finds none
};

/// Runs a node until it is told to end by SIGTERM or SIGINT: then it takes no new tasks, lets those
/// that it has end for `drain_timeout`, and cancels the rest; a second signal cancels them at once.
/// SIGHUP has the file with the tokens read again. Gives the exit code.
int run_node(const run_node_options& options);

} // namespace rolecall
