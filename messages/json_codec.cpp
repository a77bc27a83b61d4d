#include "messages/json_codec.hpp"

#include <set>

namespace rolecall {

namespace {

using json = nlohmann::json;

std::map<std::string, std::string> read_labels(object_reader& task) {
  std::map<std::string, std::string> result;
  const auto* labels = task.object("labels");
  if (!labels)
    return result;
  constexpr std::size_t max_labels = 64;
  constexpr std::size_t max_name_bytes = 256;
  constexpr std::size_t max_text_bytes = 1'024;
  if (labels->size() > max_labels)
    task.complain("labels", "has more than " + std::to_string(max_labels) + " entries");
  for (const auto& [key, value] : labels->items()) {
    if (auto wrong = name_problem(key, max_name_bytes))
      task.complain("labels", "the name of a label " + *wrong);
    else if (!value.is_string() || value.get_ref<const std::string&>().size() > max_text_bytes)
      task.complain("labels", "\"" + key + "\" must be a name with a string of at most " +
                                  std::to_string(max_text_bytes) + " bytes");
    else
      result[key] = value.get<std::string>();
  }
  return result;
}

retry_policy read_retry(object_reader& task, std::vector<problem>& problems) {
  retry_policy result;
  const auto* value = task.object("retry");
  if (!value)
    return result;
  object_reader retry{*value, task.at("retry"), problems};
  result.backoff = retry.duration("backoff", millis{0}).value_or(result.backoff);
  result.max_backoff = retry.duration("max_backoff", millis{0}).value_or(result.max_backoff);
  if (auto codes = retry.strings("codes", 64)) {
    if (codes->empty())
      retry.complain("codes", "is empty; for no retries set max_attempts to 1");
    result.codes = std::move(*codes);
  }
  retry.finish();
  return result;
}

std::vector<task_id> read_dependencies(object_reader& task, const task_id& own) {
  constexpr std::size_t most = 1'000;
  std::vector<task_id> result;
  std::set<std::string> seen;
  for (auto& id : task.strings("depends_on", most).value_or(std::vector<std::string>{})) {
    if (auto wrong = name_problem(id, 256))
      task.complain("depends_on", "\"" + id + "\" " + *wrong);
    else if (id == own.str())
      task.complain("depends_on", "names the task itself");
    else if (!seen.insert(id).second)
      task.complain("depends_on", "names \"" + id + "\" twice");
    else
      result.emplace_back(id);
  }
  return result;
}

} // namespace

std::optional<task_spec> read_task(const json& value, const std::string& where,
                                   std::vector<problem>& problems) {
  auto before = problems.size();
  object_reader object{value, where, problems};
  task_spec task;
  task.id = task_id{object.name("task_id").value_or("")};
  task.role = role_name{object.required_name("role").value_or("")};
  if (const auto* input = object.required("input"))
    task.input = json_text{input->dump()};
  task.skills = object.strings("skills", 64).value_or(std::vector<std::string>{});
  task.priority = static_cast<std::uint8_t>(object.integer("priority", 0, 9).value_or(0));
  task.timeout = object.duration("timeout", millis{1}).value_or(millis{0});
  task.max_attempts =
      static_cast<std::uint32_t>(object.integer("max_attempts", 1, 1'000).value_or(0));
  task.context_id = object.name("context_id").value_or("");
  task.labels = read_labels(object);
  task.deadline = object.duration("deadline", millis{1}).value_or(millis{0});
  if (object.value("retry"))
    task.retry = read_retry(object, problems);
  task.depends_on = read_dependencies(object, task.id);
  auto on_failure = object.name("on_dependency_failure").value_or("fail");
  if (on_failure == "run")
    task.on_dependency_failure = dependency_policy::run;
  else if (on_failure != "fail")
    object.complain("on_dependency_failure",
                    "must be \"fail\" or \"run\", not \"" + on_failure + "\"");
  task.idempotent = object.boolean("idempotent").value_or(false);
  object.finish();
  if (problems.size() != before)
    return std::nullopt;
  return task;
}

std::optional<skill_map> read_skills(object_reader& object, std::string_view key) {
  const auto* skills = object.object(key);
  if (!skills)
    return std::nullopt;
  skill_map result;
  for (const auto& [name, proficiency] : skills->items()) {
    if (!name.empty() && proficiency.is_number() && proficiency.get<double>() >= 0 &&
        proficiency.get<double>() <= 1)
      result[name] = proficiency.get<double>();
    else
      object.complain(key, "\"" + name + "\" must be a name with a number from 0 to 1");
  }
  return result;
}

nlohmann::ordered_json to_json(const failure& error) {
  return {{"code", error.code}, {"message", error.message}};
}

nlohmann::ordered_json to_json(const task_record& task) {
  nlohmann::ordered_json result{
      {"task_id", task.id.str()},   {"role", task.role.str()},   {"state", to_string(task.state)},
      {"agent_id", nullptr},        {"attempts", task.attempts}, {"queued_ms", task.queued.count()},
      {"run_ms", task.run.count()},
  };
  if (!task.agent.id.empty())
    result["agent_id"] = task.agent.id.str();
  if (task.state == task_state::completed)
    result["output"] = nlohmann::ordered_json::parse(task.output.str());
  else if (is_terminal(task.state))
    result["error"] = to_json(task.error);
  return result;
}

} // namespace rolecall
