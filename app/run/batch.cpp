#include "app/run/batch.hpp"

#include "messages/json_codec.hpp"

#include <map>
#include <set>

namespace rolecall {

namespace {

using json = nlohmann::json;

constexpr json_limits limits{256u << 20, max_payload_depth};

std::string_view trimmed(std::string_view text) {
  auto start = text.find_first_not_of(" \t\r\n");
  if (start == std::string_view::npos)
    return {};
  return text.substr(start, text.find_last_not_of(" \t\r\n") - start + 1);
}

/// A text is NDJSON if it starts with a line that is an object by itself and goes on after it.
bool is_ndjson(std::string_view text) {
  auto all = trimmed(text);
  auto end = all.find('\n');
  if (end == std::string_view::npos)
    return false;
  auto first = trimmed(all.substr(0, end));
  return first.size() >= 2 && first.front() == '{' && first.back() == '}' &&
         (json::accept(first) || !json::accept(all));
}

struct batch_reader {
  batch result;
  std::vector<problem> problems;
  std::map<std::string, std::string> places; // task id → where it stands

  void add(const json& value, const std::string& where, const std::string& name) {
    auto before = problems.size();
    auto task = read_task(value, where, problems);
    if (where.empty()) // a line of its own: a pointer alone would not say which
      for (auto i = before; i < problems.size(); ++i)
        problems[i].where = problems[i].where.empty() ? name : name + ", " + problems[i].where;
    // An id is taken even by a task that has other problems: two of the same are one problem more.
    auto id = value.is_object() && value.contains("task_id") && value["task_id"].is_string()
                  ? value["task_id"].get<std::string>()
                  : std::string{};
    if (!id.empty()) {
      auto [first, fresh] = places.emplace(id, name);
      if (!fresh)
        problems.push_back({where.empty() ? name + ", /task_id" : where + "/task_id",
                            "\"" + id + "\" is the id of " + first->second + " already"});
    }
    if (!task)
      return;
    result.tasks.push_back(std::move(*task));
    result.where.push_back(name);
  }

  void read_array(const json& tasks, const std::string& pointer) {
    if (tasks.empty())
      problems.push_back({pointer, "is empty: there is nothing to run"});
    for (std::size_t i = 0; i < tasks.size(); ++i) {
      auto where = pointer + "/" + std::to_string(i);
      add(tasks[i], where, where);
    }
  }

  void read_lines(std::string_view text) {
    std::size_t number = 0;
    while (!text.empty()) {
      auto end = std::min(text.find('\n'), text.size());
      auto line = trimmed(text.substr(0, end));
      text.remove_prefix(std::min(end + 1, text.size()));
      auto name = "line " + std::to_string(++number);
      if (line.empty())
        continue;
      std::vector<problem> own;
      auto value = parse_json(line, limits, own);
      for (auto& p : own) {
        auto column = p.where.find("column");
        p.where = column == std::string::npos ? name : name + ", " + p.where.substr(column);
        problems.push_back(std::move(p));
      }
      if (value)
        add(*value, "", name);
    }
  }

  void read_whole(std::string_view text) {
    auto value = parse_json(text, limits, problems);
    if (!value)
      return;
    if (value->is_array())
      return read_array(*value, "");
    if (value->is_object() && (value->contains("role") || value->contains("task_id")) &&
        !value->contains("tasks"))
      return add(*value, "", "line 1"); // NDJSON of one line
    object_reader object{*value, "", problems};
    object.required("tasks");
    if (const auto* tasks = object.array("tasks"))
      read_array(*tasks, "/tasks");
    object.finish();
  }

  void name_the_nameless() {
    for (std::size_t i = 0; i < result.tasks.size(); ++i) {
      auto& id = result.tasks[i].id;
      for (auto number = i + 1; id.empty(); number += result.tasks.size()) {
        auto name = "task-" + std::to_string(number);
        if (places.emplace(name, result.where[i]).second)
          id = task_id{name};
      }
    }
  }
};

template <class Set>
std::string joined(const Set& names) {
  std::string result;
  for (const auto& name : names)
    result += (result.empty() ? "" : ", ") + name;
  return result.empty() ? "none" : result;
}

std::string unknown(const std::string& kind, const std::string& name,
                    const std::set<std::string>& known) {
  auto meant = nearest(name, {known.begin(), known.end()});
  return "unknown " + kind + " \"" + name + "\"" +
         (meant ? "; did you mean \"" + *meant + "\"?" : "") + " There are: " + joined(known);
}

} // namespace

std::variant<batch, std::vector<problem>> parse_batch(std::string_view text) {
  constexpr std::string_view byte_order_mark{"\xEF\xBB\xBF"}; // some editors write it
  if (text.starts_with(byte_order_mark))
    text.remove_prefix(byte_order_mark.size());
  batch_reader reader;
  if (is_ndjson(text))
    reader.read_lines(text);
  else
    reader.read_whole(text);
  if (!reader.problems.empty())
    return std::move(reader.problems);
  reader.name_the_nameless();
  return std::move(reader.result);
}

std::vector<problem> check_roles(const batch& tasks, const role_directory& directory,
                                 const std::vector<agent_record>& agents) {
  std::map<std::string, std::set<std::string>> skills; // of each role that there is
  auto learn = [&](const auto& source) {
    auto& known = skills[source.role.str()];
    for (const auto& [skill, proficiency] : source.skills)
      known.insert(skill);
  };
  for (const auto& offer : directory.offers)
    learn(offer);
  for (const auto& agent : agents)
    learn(agent);
  std::set<std::string> roles;
  for (const auto& [role, known] : skills)
    roles.insert(role);
  std::vector<problem> problems;
  for (std::size_t i = 0; i < tasks.tasks.size(); ++i) {
    const auto& task = tasks.tasks[i];
    auto known = skills.find(task.role.str());
    if (known == skills.end()) {
      problems.push_back({tasks.where[i] + "/role", unknown("role", task.role.str(), roles)});
      continue;
    }
    for (const auto& skill : task.skills)
      if (!known->second.contains(skill))
        problems.push_back(
            {tasks.where[i] + "/skills",
             unknown("skill", skill, known->second) + " for the role \"" + task.role.str() + "\""});
  }
  return problems;
}

} // namespace rolecall
