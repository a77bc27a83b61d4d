#pragma once

#include "app/client/node_client.hpp"
#include "messages/values.hpp"

#include <string>

namespace rolecall::client {

/// A change of a task as one line: "13:00:00 completed t1 role=counter agent=counter-1 attempt=1
/// time=15ms". `time` is when it was seen.
std::string event_line(const task_record& task, const std::string& time, bool colours);

/// An event of a node as one line; empty for an event that is not for people, or that nobody
/// knows.
std::string event_line(const std::string& type, const json& data, const std::string& time,
                       bool colours);

/// The local time of day, "13:00:00".
std::string wall_clock();

} // namespace rolecall::client
