#include "app/simulate/timed_tasks.hpp"

#include "actors/coordinator/dependencies.hpp"
#include "messages/json_codec.hpp"

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <unordered_map>
#include <unordered_set>

namespace rolecall {

namespace {

using json = nlohmann::json;

constexpr json_limits limits{256u << 20, max_payload_depth};

/// What tells a task that a journal has kept from one that is to be run.
bool is_exported(const json& value) {
  return value.is_object() && value.contains("run_ms") && value.contains("submitted_at");
}

std::string_view first_line(std::string_view text) {
  auto start = text.find_first_not_of(" \t\r\n");
  return start == std::string_view::npos ? text
                                         : text.substr(start, text.find('\n', start) - start);
}

/// "2026-01-31T12:00:00.000Z" as seconds since 1970; none if it is anything else.
std::optional<double> seconds_of(const std::string& time) {
  std::tm parts{};
  auto millis = 0;
  auto end = 0;
  if (std::sscanf(time.c_str(), "%4d-%2d-%2dT%2d:%2d:%2d.%3dZ%n", &parts.tm_year, &parts.tm_mon,
                  &parts.tm_mday, &parts.tm_hour, &parts.tm_min, &parts.tm_sec, &millis,
                  &end) != 7 ||
      static_cast<std::size_t>(end) != time.size())
    return std::nullopt;
  parts.tm_year -= 1900;
  parts.tm_mon -= 1;
  return static_cast<double>(::timegm(&parts)) + millis / 1e3;
}

struct export_reader {
  timed_tasks result;
  std::vector<problem> problems;
  std::unordered_map<task_id, std::size_t> lines; // where each task stands

  void read(std::string_view text) {
    for (std::size_t number = 1; !text.empty(); ++number) {
      auto end = std::min(text.find('\n'), text.size());
      auto line = text.substr(0, end);
      text.remove_prefix(std::min(end + 1, text.size()));
      if (line.find_first_not_of(" \t\r") == std::string_view::npos)
        continue;
      std::vector<problem> own;
      if (auto value = parse_json(line, limits, own))
        add(*value, number, own);
      for (auto& p : own)
        add_problem(problems, {"line " + std::to_string(number) +
                                   (p.where.starts_with("/") ? ", " + p.where : std::string{}),
                               std::move(p.what)});
      if (is_full(problems))
        return;
    }
  }

  void add(const json& value, std::size_t number, std::vector<problem>& own) {
    object_reader object{value, "", own};
    timed_task task;
    auto& spec = task.spec;
    spec.id = task_id{object.required_name("task_id").value_or("")};
    spec.role = role_name{object.required_name("role").value_or("")};
    spec.skills = object.strings("skills", 64).value_or(std::vector<std::string>{});
    spec.priority = static_cast<std::uint8_t>(object.integer("priority", 0, 9).value_or(0));
    constexpr std::int64_t longest = 1'000'000'000'000;
    spec.timeout = millis{object.integer("timeout_ms", 0, longest).value_or(0)};
    spec.max_attempts =
        static_cast<std::uint32_t>(object.integer("max_attempts", 0, 1'000).value_or(0));
    spec.context_id = object.string("context_id").value_or("");
    for (const auto& id : object.strings("depends_on", 1'000).value_or(std::vector<std::string>{}))
      spec.depends_on.emplace_back(id);
    if (object.string("on_dependency_failure") == "run")
      spec.on_dependency_failure = dependency_policy::run;
    if (const auto* labels = object.object("labels"))
      for (const auto& [name, label] : labels->items())
        if (label.is_string())
          spec.labels[name] = label.get<std::string>();
    object.required("run_ms");
    auto run_ms = object.integer("run_ms", 0, longest).value_or(0);
    object.required("submitted_at");
    auto submitted = object.string("submitted_at").value_or("");
    auto arrival = seconds_of(submitted);
    if (!arrival && !submitted.empty())
      object.complain("submitted_at", "must be a time like 2026-01-31T12:00:00.000Z");
    auto [first, fresh] = lines.emplace(spec.id, number);
    if (!fresh && !spec.id.empty())
      object.complain("task_id", "\"" + spec.id.str() + "\" is the id of line " +
                                     std::to_string(first->second) + " already");
    if (!own.empty())
      return;
    task.arrival_s = arrival.value_or(0);
    task.run_s = static_cast<double>(run_ms) / 1e3;
    if (run_ms == 0)
      ++result.left_out;
    else
      result.tasks.push_back(std::move(task));
  }

  /// The first comes at 0. What a task needs and the journal has not kept, or has left out, is
  /// over.
  void settle() {
    auto& tasks = result.tasks;
    std::stable_sort(tasks.begin(), tasks.end(),
                     [](const auto& a, const auto& b) { return a.arrival_s < b.arrival_s; });
    auto first = tasks.empty() ? 0 : tasks.front().arrival_s;
    std::unordered_set<task_id> known;
    for (const auto& task : tasks)
      known.insert(task.spec.id);
    for (auto& task : tasks) {
      task.arrival_s -= first;
      std::erase_if(task.spec.depends_on, [&](const auto& id) { return !known.contains(id); });
    }
  }
};

void check_circle(const std::vector<const task_spec*>& tasks, std::vector<problem>& problems) {
  auto cycle = find_cycle(tasks);
  if (!cycle)
    return;
  std::string names;
  for (const auto& id : *cycle)
    names += (names.empty() ? "" : ", ") + id.str();
  problems.push_back({"", "these tasks depend on each other in a circle: " + names});
}

/// What is wrong with dependencies, as far as the file itself shows it.
void check_dependencies(const batch& tasks, std::vector<problem>& problems) {
  std::unordered_set<task_id> known;
  for (const auto& task : tasks.tasks)
    known.insert(task.id);
  for (std::size_t i = 0; i < tasks.tasks.size(); ++i)
    for (const auto& id : tasks.tasks[i].depends_on)
      if (!known.contains(id))
        add_problem(problems, {tasks.where[i] + "/depends_on",
                               "no task of the file is called \"" + id.str() + "\""});
}

template <class Tasks, class Spec>
std::vector<const task_spec*> specs_of(const Tasks& tasks, Spec spec) {
  std::vector<const task_spec*> result;
  for (const auto& task : tasks)
    result.push_back(&spec(task));
  return result;
}

} // namespace

std::variant<timed_tasks, std::vector<problem>> read_timed_tasks(std::string_view text) {
  if (is_exported(json::parse(first_line(text), nullptr, false))) {
    export_reader reader;
    reader.read(text);
    if (reader.problems.empty() && reader.result.tasks.empty())
      reader.problems.push_back({"", "none of its tasks has ever run: there is nothing to go by"});
    reader.settle();
    if (reader.problems.empty())
      check_circle(
          specs_of(
              reader.result.tasks, [](const auto& task) -> const auto& { return task.spec; }),
          reader.problems);
    if (!reader.problems.empty())
      return std::move(reader.problems);
    return std::move(reader.result);
  }
  auto parsed = parse_batch(text);
  if (auto* problems = std::get_if<std::vector<problem>>(&parsed))
    return std::move(*problems);
  auto& tasks = std::get<batch>(parsed);
  std::vector<problem> problems;
  check_dependencies(tasks, problems);
  if (problems.empty())
    check_circle(specs_of(
                     tasks.tasks, [](const auto& spec) -> const auto& { return spec; }),
                 problems);
  if (!problems.empty())
    return problems;
  timed_tasks result;
  for (auto& spec : tasks.tasks)
    result.tasks.push_back({std::move(spec), 0, std::nullopt});
  return result;
}

} // namespace rolecall
