#include "app/client/event_text.hpp"

#include "app/client/task_json.hpp"
#include "app/run/state_look.hpp"
#include "app/run/summary.hpp"
#include "app/terminal.hpp"

#include <ctime>

namespace rolecall::client {

namespace {

constexpr std::size_t max_error = 200; // characters

std::string coloured(const char* colour, const std::string& text, bool colours) {
  return colours ? colour + text + "\x1b[0m" : text;
}

} // namespace

std::string event_line(const task_record& task, const std::string& time, bool colours) {
  auto look = look_of(task.state, task.attempts);
  auto state = colours ? std::string{look.sign} + " " + look.word : look.word;
  auto line = time + " " + coloured(look.colour, state, colours) + " " + printable(task.id.str());
  if (!task.role.empty())
    line += " role=" + printable(task.role.str());
  if (!task.agent.id.empty())
    line +=
        " agent=" + printable(task.agent.id.str()) + " attempt=" + std::to_string(task.attempts);
  if (is_terminal(task.state) && task.attempts > 0)
    line += " time=" + short_time(task.run);
  if (!task.error.code.empty() && task.state != task_state::working &&
      task.state != task_state::completed)
    line += ": " + cut(task.error.code + ": " + task.error.message, max_error);
  return line;
}

std::string event_line(const std::string& type, const json& data, const std::string& time,
                       bool colours) {
  if (type == "task") {
    auto task = read_task_view(data);
    return task ? event_line(*task, time, colours) : std::string{};
  }
  if (type != "agent" || !data.is_object() || !data.contains("agent"))
    return {};
  const auto& agent = data["agent"];
  return time + " " + coloured("\x1b[35m", "agent " + printable(shown(data, "change")), colours) +
         " " + printable(shown(agent, "agent_id")) + " role=" + printable(shown(agent, "role")) +
         " service=" + printable(shown(agent, "service")) +
         " state=" + printable(shown(agent, "state"));
}

std::string wall_clock() {
  auto now = std::time(nullptr);
  std::tm parts{};
  ::localtime_r(&now, &parts);
  char text[16];
  std::strftime(text, sizeof text, "%H:%M:%S", &parts);
  return text;
}

} // namespace rolecall::client
