#pragma once

#include <CLI/CLI.hpp>

#include <functional>

namespace rolecall::client {

/// Adds `submit`.
void add_submit_command(CLI::App& app, std::function<int()>& run);

} // namespace rolecall::client
