#pragma once

#include <CLI/CLI.hpp>

#include <functional>

namespace rolecall {

/// Adds `rolecall agents` to the command line. If it is called, `run` is set to what then has to be
/// run; that gives the exit code.
void add_agents_command(CLI::App& app, std::function<int()>& run);

} // namespace rolecall
