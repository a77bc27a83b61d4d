#pragma once

#include <CLI/CLI.hpp>

#include <functional>

namespace rolecall::client {

/// Adds `get`, `list`, `cancel`, `retry` and `why`.
void add_task_commands(CLI::App& app, std::function<int()>& run);

} // namespace rolecall::client
