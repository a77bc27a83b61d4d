#pragma once

#include "app/run/view.hpp"

#include <string>

namespace rolecall {

/// The command line of `rolecall run`. Empty texts and zeros: not given.
struct run_options {
  std::string file;
  std::string config_file;
  std::string service;
  std::string journal; ///< a file in which the tasks are kept; may be empty
  std::string roles_file;
  std::string out_folder;
  bool json{false};
  std::size_t max_parallel{0};
  millis timeout{0};
  verbosity level{verbosity::normal};
};

/// Runs a batch to its end and gives the exit code: 0 if all tasks completed, 1 if not, 2 if the
/// input is wrong (nothing was started then), 130 if it was interrupted.
int run_batch(const run_options& options);

} // namespace rolecall
