#include "app/client/task_text.hpp"

#include "app/client/fleet_text.hpp"
#include "app/client/task_json.hpp"
#include "app/run/state_look.hpp"
#include "app/terminal.hpp"
#include "messages/json_codec.hpp"

namespace rolecall::client {

namespace {

const char* colour_of(const json& task) {
  auto record = read_task_view(task);
  return record ? look_of(record->state, record->attempts).colour : "";
}

std::string error_text(const json& task) {
  auto error = task.find("error");
  if (error == task.end() || !error->is_object())
    return "";
  return text(*error, "code") + ": " + text(*error, "message");
}

std::string labels_text(const json& task) {
  std::string result;
  auto labels = task.find("labels");
  if (labels != task.end() && labels->is_object())
    for (const auto& [name, value] : labels->items())
      result +=
          (result.empty() ? "" : " ") + name +
          (value.is_string() && !value.get<std::string>().empty() ? ":" + value.get<std::string>()
                                                                  : "");
  return result;
}

std::string dependencies_text(const json& task) {
  std::string result;
  auto list = task.find("depends_on");
  if (list != task.end() && list->is_array())
    for (const auto& id : *list)
      result += (result.empty() ? "" : " ") + (id.is_string() ? id.get<std::string>() : dump(id));
  return result;
}

/// "name: text" with the text's lines under each other.
void add_line(std::string& out, const std::string& name, const std::string& value) {
  if (value.empty() || value == "-")
    return;
  out += "  " + fit(name, 11) + printable(value) + "\n";
}

void add_payload(std::string& out, const char* name, const json& task) {
  auto found = task.find(name);
  if (found == task.end())
    return;
  // Text that is shown as text, with its lines, is what people want to read.
  auto lines = found->is_string() ? found->get<std::string>() : dump(*found, 2);
  if (lines.find('\n') == std::string::npos)
    return add_line(out, name, lines);
  out += "  " + std::string{name} + "\n";
  std::string_view rest{lines};
  while (!rest.empty()) {
    auto line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    out += "    " + printable(std::string{line}) + "\n";
  }
}

void add_history(std::string& out, const json& task) {
  auto history = task.find("history");
  if (history == task.end() || !history->is_array())
    return;
  for (const auto& attempt : *history) {
    auto line = shown(attempt, "attempt") + ". " + shown(attempt, "verdict") + " on " +
                shown(attempt, "agent_id") + " in " + shown_time(attempt, "run_ms");
    if (auto error = attempt.is_object() ? error_text(attempt) : ""; !error.empty())
      line += ": " + error;
    add_line(out, "attempt", line);
  }
}

} // namespace

table task_table(const std::vector<json>& tasks) {
  table result{{"task", "state", "role", "agent", "tries", "queued", "run", "submitted", "error"},
               {}};
  for (const auto& task : tasks)
    result.rows.push_back({{shown(task, "task_id")},
                           {shown(task, "state"), colour_of(task)},
                           {shown(task, "role")},
                           {shown(task, "agent_id")},
                           {shown(task, "attempts")},
                           {shown_time(task, "queued_ms")},
                           {shown_time(task, "run_ms")},
                           {shown(task, "submitted_at")},
                           {error_text(task)}});
  return result;
}

std::string task_details(const json& view) {
  auto record = read_task_view(view);
  auto look = record ? look_of(record->state, record->attempts) : state_look{"?", "unknown", ""};
  std::string out = std::string{look.colour} + look.sign + " " + shown(view, "state") + "\x1b[0m " +
                    printable(shown(view, "task_id")) + "\n";
  add_line(out, "role", shown(view, "role"));
  auto agent = shown(view, "agent_id");
  add_line(out, "agent", agent == "-" ? agent : agent + " of " + shown(view, "service"));
  add_line(out, "attempts", shown(view, "attempts") + " of " + shown(view, "max_attempts"));
  if (auto priority = shown(view, "priority"); priority != "0")
    add_line(out, "priority", priority);
  add_line(out, "labels", labels_text(view));
  add_line(out, "context", shown(view, "context_id"));
  add_line(out, "needs", dependencies_text(view));
  add_line(out, "retry of", shown(view, "retry_of"));
  add_line(out, "retried as", shown(view, "retried_as"));
  add_line(out, "deadline", shown(view, "deadline_at"));
  add_line(out, "submitted", shown(view, "submitted_at"));
  add_line(out, "finished", shown(view, "finished_at"));
  add_line(out, "waited", shown_time(view, "queued_ms"));
  add_line(out, "ran", shown_time(view, "run_ms"));
  add_history(out, view);
  add_payload(out, "input", view);
  add_payload(out, "output", view);
  add_line(out, "error", error_text(view));
  return out;
}

std::string why_text(const json& why) {
  std::string out = printable(shown(why, "task_id")) + " (" + printable(shown(why, "state")) +
                    "): " + printable(shown(why, "explanation")) + "\n";
  if (number(why, "position"))
    out += "  place " + shown(why, "position") + " of " + shown(why, "waiting") + " that wait\n";
  auto candidates = why.find("candidates");
  if (candidates == why.end() || !candidates->is_array() || candidates->empty())
    return out;
  table rows{{"", "agent", "service", "free", "running", "limit", "success", "latency", "note"},
             {}};
  for (const auto& one : *candidates) {
    auto chosen = shown(one, "chosen") == "true";
    auto eligible = shown(one, "eligible") == "true";
    rows.rows.push_back({{chosen     ? "✓"
                          : eligible ? "·"
                                     : "✗",
                          chosen ? "\x1b[32m" : "\x1b[2m"},
                         {shown(one, "agent_id")},
                         {shown(one, "service")},
                         {shown(one, "free_slots")},
                         {shown(one, "in_flight")},
                         {shown(one, "max_concurrency")},
                         {shown_rate(one, "success_rate")},
                         {shown_time(one, "latency_ms")},
                         {shown(one, "note")}});
  }
  out += aligned(rows); // a note says what to do: it is not cut
  if (auto omitted = number(why, "omitted"); omitted && *omitted > 0)
    out += "and " + shown(why, "omitted") + " more agents\n";
  return out;
}

} // namespace rolecall::client
