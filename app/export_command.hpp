#pragma once

#include <CLI/CLI.hpp>

#include <functional>

namespace rolecall {

/// Adds `export`, which sets `run` to what carries it out and gives the exit code.
void add_export_command(CLI::App& app, std::function<int()>& run);

} // namespace rolecall
