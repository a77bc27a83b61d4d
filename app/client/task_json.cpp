#include "app/client/task_json.hpp"

#include "app/client/refusal.hpp"
#include "messages/json_codec.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace rolecall::client {

namespace {

std::optional<task_state> state_of(const std::string& name) {
  constexpr std::array all{task_state::submitted, task_state::working,  task_state::completed,
                           task_state::failed,    task_state::canceled, task_state::rejected};
  const auto* found =
      std::find_if(all.begin(), all.end(), [&](auto state) { return to_string(state) == name; });
  return found == all.end() ? std::nullopt : std::optional{*found};
}

/// A count or a length of time: what is negative or absurd counts as none.
std::int64_t count_of(const json& view, const char* key) {
  constexpr double most = 1e15;
  auto value = number(view, key).value_or(0);
  return value > 0 && value < most ? static_cast<std::int64_t>(value) : 0;
}

} // namespace

std::string text(const json& object, const char* key) {
  auto found = object.is_object() ? object.find(key) : object.end();
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string{};
}

std::optional<double> number(const json& object, const char* key) {
  auto found = object.is_object() ? object.find(key) : object.end();
  return found != object.end() && found->is_number() ? std::optional{found->get<double>()}
                                                     : std::nullopt;
}

std::string shown(const json& object, const char* key) {
  auto found = object.is_object() ? object.find(key) : object.end();
  if (found == object.end() || found->is_null())
    return "-";
  if (found->is_string())
    return found->get<std::string>();
  return dump(*found);
}

std::optional<task_record> read_task_view(const json& view) {
  task_record task;
  task.id = task_id{text(view, "task_id")};
  task.role = role_name{text(view, "role")};
  auto state = state_of(text(view, "state"));
  if (task.id.empty() || task.role.empty() || !state)
    return std::nullopt;
  task.state = *state;
  task.attempts =
      static_cast<std::uint32_t>(std::min<std::int64_t>(count_of(view, "attempts"), 1'000'000));
  task.agent = {service_name{text(view, "service")}, agent_id{text(view, "agent_id")},
                node_name{text(view, "node")}};
  task.queued = millis{count_of(view, "queued_ms")};
  task.run = millis{count_of(view, "run_ms")};
  if (task.state == task_state::completed)
    task.output = json_text{view.contains("output") ? dump(view["output"]) : "null"};
  if (view.contains("error") && view["error"].is_object()) {
    task.error.code = text(view["error"], "code");
    task.error.message = text(view["error"], "message");
  }
  return task;
}

task_record task_in(const json& view, const std::string& what, const node_client& node) {
  auto task = read_task_view(view);
  if (!task)
    throw not_a_node(what, node.where(), "there is no task in it, with its id, role and state");
  return *task;
}

} // namespace rolecall::client
