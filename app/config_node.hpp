#pragma once

#include "app/node_options.hpp"
#include "messages/json_reader.hpp"

namespace rolecall {

/// Reads the sections "node", "api", "log" and "tracing" of a configuration into `result`. What is
/// wrong goes to the problems of `root`.
void read_node_sections(object_reader& root, std::vector<problem>& problems, node_options& result);

/// Whoever reaches the port of a node can have commands run: what is missing for others to reach
/// it, if that is so and was not asked for.
std::optional<std::string> exposure_problem(const api_options& api);

} // namespace rolecall
