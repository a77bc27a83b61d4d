#pragma once

#include <CLI/CLI.hpp>

#include <functional>

namespace rolecall {

/// Adds `completion` and `man`. Both describe `app` with all its commands, whenever these are
/// added; it outlives `run`.
void add_docs_commands(CLI::App& app, std::function<int()>& run);

} // namespace rolecall
