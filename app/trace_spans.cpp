#include "app/trace_spans.hpp"

#include "messages/json_codec.hpp"

namespace rolecall {

namespace {

using json = nlohmann::ordered_json;

constexpr int kind_server = 2; // the task, as whoever submitted it sees it
constexpr int kind_client = 3; // an attempt: a call of an agent
constexpr int status_ok = 1;
constexpr int status_error = 2;

json text_attribute(const std::string& key, const std::string& value) {
  return {{"key", key}, {"value", {{"stringValue", value}}}};
}

json number_attribute(const std::string& key, std::uint64_t value) {
  return {{"key", key}, {"value", {{"intValue", std::to_string(value)}}}};
}

std::string nanoseconds(unix_time at) {
  return std::to_string(at.count()) + "000000";
}

json span(const std::string& traceparent, const std::string& id, const std::string& parent,
          const std::string& name, int kind, unix_time from, unix_time to) {
  json result{{"traceId", traceparent.substr(3, 32)}, {"spanId", id}};
  if (!parent.empty())
    result["parentSpanId"] = parent;
  result["name"] = name;
  result["kind"] = kind;
  result["startTimeUnixNano"] = nanoseconds(from);
  result["endTimeUnixNano"] = nanoseconds(to);
  return result;
}

/// Only the code: the message may quote what an agent said.
json status(bool ok, const failure& error) {
  return ok ? json{{"code", status_ok}} : json{{"code", status_error}, {"message", error.code}};
}

} // namespace

std::vector<json> spans_of(const task_event& event) {
  const auto& task = *event.task;
  std::vector<json> result;
  auto own_span = task.traceparent.substr(36, 16);
  for (const auto& attempt : event.ended) {
    auto each = span(task.traceparent, attempt.span_id, own_span, "attempt " + task.role.str(),
                     kind_client, attempt.started_at, attempt.started_at + attempt.run);
    each["attributes"] = {text_attribute("rolecall.task_id", task.id.str()),
                          text_attribute("rolecall.agent_id", attempt.agent.id.str()),
                          text_attribute("rolecall.service", attempt.agent.service.str()),
                          number_attribute("rolecall.attempt", attempt.attempt),
                          text_attribute("rolecall.verdict", to_string(attempt.verdict))};
    each["status"] = status(attempt.verdict == verdict::completed, attempt.error);
    result.push_back(std::move(each));
  }
  if (!is_terminal(task.state))
    return result;
  auto whole = span(task.traceparent, own_span, task.parent_span, "task " + task.role.str(),
                    kind_server, task.submitted_at, task.finished_at);
  whole["attributes"] = {text_attribute("rolecall.task_id", task.id.str()),
                         text_attribute("rolecall.role", task.role.str()),
                         text_attribute("rolecall.state", to_string(task.state)),
                         number_attribute("rolecall.attempts", task.attempts)};
  whole["status"] = status(task.state == task_state::completed, task.error);
  result.push_back(std::move(whole));
  return result;
}

std::string export_request(const std::vector<json>& spans, const std::string& node,
                           const std::string& version) {
  json resource{
      {"attributes",
       {text_attribute("service.name", "rolecall"), text_attribute("service.version", version),
        text_attribute("service.instance.id", node)}}};
  json scope{{"scope", {{"name", "rolecall"}, {"version", version}}}, {"spans", spans}};
  return dump(json{{"resourceSpans", json::array({json{{"resource", std::move(resource)},
                                                       {"scopeSpans", json::array({scope})}}})}});
}

} // namespace rolecall
