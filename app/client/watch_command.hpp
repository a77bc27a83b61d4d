#pragma once

#include <CLI/CLI.hpp>

#include <functional>

namespace rolecall::client {

/// Adds `watch`.
void add_watch_command(CLI::App& app, std::function<int()>& run);

} // namespace rolecall::client
