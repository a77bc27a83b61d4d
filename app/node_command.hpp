#pragma once

#include <CLI/CLI.hpp>

#include <functional>

namespace rolecall {

/// Adds `rolecall node`. Sets `run` to what carries it out and gives the exit code.
void add_node_command(CLI::App& app, std::function<int()>& run);

} // namespace rolecall
