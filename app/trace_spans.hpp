#pragma once

#include "messages/tasks.hpp"

#include <nlohmann/json.hpp>

#include <string>
#include <vector>

/// Traces of tasks in the JSON of OTLP (OpenTelemetry protocol 1.x, ExportTraceServiceRequest). A
/// task is a span under that of whoever submitted it, and each attempt a span under its task.
namespace rolecall {

/// The spans that end with an event: of the attempt that ended, of the task if it is terminal.
std::vector<nlohmann::ordered_json> spans_of(const task_event& event);

/// The body of one export.
std::string export_request(const std::vector<nlohmann::ordered_json>& spans,
                           const std::string& node, const std::string& version);

} // namespace rolecall
