#pragma once

#include "app/client/node_client.hpp"
#include "app/client/table.hpp"

namespace rolecall::client {

/// Tasks as a table: a row for each view or summary.
table task_table(const std::vector<json>& tasks);

/// One task with all that is known of it, for people: several lines.
std::string task_details(const json& view);

/// Why a task is where it is, for people: the explanation, then the candidates as lines, uncut.
std::string why_text(const json& why);

} // namespace rolecall::client
