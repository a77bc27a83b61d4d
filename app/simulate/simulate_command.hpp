#pragma once

#include <CLI/CLI.hpp>

#include <functional>

namespace rolecall {

/// Adds `rolecall simulate` to the command line, as `add_run_command` does.
void add_simulate_command(CLI::App& app, std::function<int()>& run);

} // namespace rolecall
