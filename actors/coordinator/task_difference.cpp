#include "actors/coordinator/task_difference.hpp"

#include "messages/duration.hpp"

namespace rolecall {

namespace {

std::string shown(const std::string& text) {
  constexpr std::size_t most = 80;
  if (text.empty())
    return "none";
  return text.size() > most ? text.substr(0, most) + "…" : text;
}
std::string shown(const json_text& text) {
  return shown(text.str());
}
std::string shown(const role_name& role) {
  return shown(role.str());
}
std::string shown(millis time) {
  return time > millis{0} ? format_duration(time) : "none";
}
std::string shown(dependency_policy policy) {
  return policy == dependency_policy::run ? "run" : "fail";
}
template <class Number>
requires std::is_integral_v<Number> std::string shown(Number number) {
  return std::to_string(number);
}
std::string shown(const std::vector<std::string>& list) {
  std::string text;
  for (const auto& each : list)
    text += (text.empty() ? "" : ",") + each;
  return shown(text);
}
std::string shown(const std::vector<task_id>& list) {
  std::vector<std::string> names;
  names.reserve(list.size());
  for (const auto& id : list)
    names.push_back(id.str());
  return shown(names);
}
std::string shown(const std::map<std::string, std::string>& labels) {
  std::vector<std::string> list;
  list.reserve(labels.size());
  for (const auto& [name, text] : labels)
    list.emplace_back(name).append("=").append(text);
  return shown(list);
}

struct comparison {
  std::string text;

  template <class T>
  void operator()(const char* name, const T& there, const T& here) {
    if (there == here)
      return;
    auto a = shown(there);
    auto b = shown(here);
    text += (text.empty() ? "" : "; ") + ("/" + std::string{name}) + ": ";
    text += a == b ? "differs" : a + " there, " + b + " here";
  }
};

} // namespace

std::string difference(const task_spec& there, const task_spec& here) {
  comparison compare;
  compare("role", there.role, here.role);
  compare("input", there.input, here.input);
  compare("skills", there.skills, here.skills);
  compare("priority", there.priority, here.priority);
  compare("timeout", there.timeout, here.timeout);
  compare("deadline", there.deadline, here.deadline);
  compare("max_attempts", there.max_attempts, here.max_attempts);
  compare("retry/backoff", there.retry.backoff, here.retry.backoff);
  compare("retry/max_backoff", there.retry.max_backoff, here.retry.max_backoff);
  compare("retry/codes", there.retry.codes, here.retry.codes);
  compare("depends_on", there.depends_on, here.depends_on);
  compare("on_dependency_failure", there.on_dependency_failure, here.on_dependency_failure);
  compare("idempotent", there.idempotent, here.idempotent);
  compare("context_id", there.context_id, here.context_id);
  compare("labels", there.labels, here.labels);
  return compare.text;
}

} // namespace rolecall
