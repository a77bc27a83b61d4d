#pragma once

#include <CLI/CLI.hpp>

#include <functional>

namespace rolecall {

/// Adds `rolecall token`, which makes the tokens that a node may ask for. Sets `run` to what
/// carries it out and gives the exit code.
void add_token_command(CLI::App& app, std::function<int()>& run);

} // namespace rolecall
