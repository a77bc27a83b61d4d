#include "app/agents_service/protocol.hpp"

#include <cstdint>
#include <utility>

namespace rolecall::agents {

namespace {

using json = nlohmann::json;

/// Deeper ones would take as many stack frames when they are written out again.
constexpr json_limits limits{1u << 30, 256};

json error_object(std::string code, std::string message) {
  return {{"code", std::move(code)}, {"message", std::move(message)}};
}

bool is_text(const json& object, const char* key) {
  auto found = object.find(key);
  return found != object.end() && found->is_string();
}

/// The value as an answer of the protocol, if it has that form, without what does not belong there.
std::optional<json> protocol_answer(const json& value) {
  if (!value.is_object() || !is_text(value, "status"))
    return std::nullopt;
  auto output = value.find("output");
  if (value["status"] == "completed" && output != value.end())
    return json{{"status", "completed"}, {"output", *output}};
  auto error = value.find("error");
  if (value["status"] == "failed" && error != value.end() && error->is_object() &&
      is_text(*error, "code") && is_text(*error, "message"))
    return json{{"status", "failed"},
                {"error", error_object((*error)["code"], (*error)["message"])}};
  return std::nullopt;
}

} // namespace

answer refusal(unsigned status, std::string code, std::string message) {
  return {status, {{"error", error_object(std::move(code), std::move(message))}}, {}};
}

answer refusal_for_now(unsigned status, std::string code, std::string message) {
  auto result = refusal(status, std::move(code), std::move(message));
  result.retry_after = std::chrono::seconds{1};
  return result;
}

answer task_failed(std::string code, std::string message) {
  return {200,
          {{"status", "failed"}, {"error", error_object(std::move(code), std::move(message))}},
          {}};
}

answer answer_from_output(std::string_view text) {
  std::vector<problem> why_it_is_text;
  if (auto value = parse_json(text, limits, why_it_is_text)) {
    if (auto whole = protocol_answer(*value))
      return {200, std::move(*whole), {}};
    return {200, {{"status", "completed"}, {"output", std::move(*value)}}, {}};
  }
  text = text.substr(0, text.find_last_not_of("\r\n") + 1);
  return {200, {{"status", "completed"}, {"output", text}}, {}};
}

net::http_response to_response(const answer& value) {
  net::http_response result;
  result.status = value.status;
  if (value.retry_after)
    result.headers.push_back({"Retry-After", std::to_string(value.retry_after->count())});
  if (!value.body.is_null()) {
    result.headers.push_back({"Content-Type", "application/json"});
    result.body = value.body.dump(-1, ' ', false, json::error_handler_t::replace);
  }
  return result;
}

std::optional<execute_request> read_execute(std::string_view text, role_field with_role,
                                            std::vector<problem>& problems) {
  auto before = problems.size();
  auto body = parse_json(text, limits, problems);
  if (!body)
    return std::nullopt;
  execute_request result;
  object_reader reader{*body, "", problems};
  result.task_id = reader.required_name("task_id").value_or("");
  auto role =
      with_role == role_field::required ? reader.required_name("role") : reader.name("role");
  result.role = role.value_or("");
  reader.required("input");
  reader.integer("attempt", 1, INT32_MAX);
  reader.name("context_id");
  reader.object("dependencies");
  reader.integer("deadline_ms", 1, INT64_MAX);
  constexpr std::int64_t ten_years_ms = 3'650LL * 86'400'000;
  if (auto timeout = reader.integer("timeout_ms", 1, ten_years_ms))
    result.timeout = std::chrono::milliseconds{*timeout};
  if (problems.size() != before)
    return std::nullopt;
  result.body = std::move(*body);
  return result;
}

} // namespace rolecall::agents
