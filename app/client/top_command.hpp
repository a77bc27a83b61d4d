#pragma once

#include <CLI/CLI.hpp>

#include <functional>

namespace rolecall::client {

/// Adds `top`.
void add_top_command(CLI::App& app, std::function<int()>& run);

} // namespace rolecall::client
