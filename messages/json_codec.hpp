#pragma once

#include "messages/json_reader.hpp"
#include "messages/values.hpp"

/// The JSON of tasks and agents, as clients and agents services write and read it.
namespace rolecall {

/// How deep the JSON of an input or an output may be nested.
constexpr std::size_t max_payload_depth = 256;

/// Reads a task; `where` is its JSON pointer. A task without `task_id` gets an empty one: whoever
/// admits it gives it one. None if something is wrong with it; then `problems` says what.
std::optional<task_spec> read_task(const nlohmann::json& value, const std::string& where,
                                   std::vector<problem>& problems);

/// Reads a skill map (`{"name": 0..1}`) that is the member `key` of an object.
std::optional<skill_map> read_skills(object_reader& object, std::string_view key);

/// {"code","message"}
nlohmann::ordered_json to_json(const failure& error);

/// A task of a report: {"task_id","role","state","agent_id","attempts","queued_ms","run_ms",
/// "output"|"error"}. `agent_id` is null if no attempt was started.
nlohmann::ordered_json to_json(const task_record& task);

/// Text of any JSON value on one line; bytes that are not UTF-8 are replaced.
template <class Json>
std::string dump(const Json& value, int indent = -1) {
  return value.dump(indent, ' ', false, Json::error_handler_t::replace);
}

} // namespace rolecall
