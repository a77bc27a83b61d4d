#pragma once

#include <CLI/CLI.hpp>

#include <functional>

namespace rolecall {

/// Adds the commands that talk to a node. Each sets `run` to what carries it out and gives the exit
/// code.
void add_client_commands(CLI::App& app, std::function<int()>& run);

} // namespace rolecall
