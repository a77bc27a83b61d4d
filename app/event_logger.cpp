#include "app/event_logger.hpp"

#include "messages/json_codec.hpp"

#include <spdlog/sinks/stdout_color_sinks.h>

#include <unistd.h>

namespace rolecall {

namespace {

using json = nlohmann::ordered_json;

bool writes_json = false; // set once, before the first event

std::string plain(const json& value) {
  if (!value.is_string())
    return dump(value);
  const auto& text = value.get_ref<const std::string&>();
  auto simple = !text.empty() && text.find_first_of(" \"=\n\r\t\x1b") == std::string::npos;
  return simple ? text : dump(value);
}

} // namespace

void set_up_log(const log_options& options) {
  writes_json = options.format == log_format::json ||
                (options.format == log_format::automatic && isatty(STDERR_FILENO) == 0);
  spdlog::drop("node");
  auto log = spdlog::stderr_color_mt("node");
  log->set_level(spdlog::level::from_str(options.level));
  log->set_pattern(writes_json ? R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%v})"
                               : "%Y-%m-%d %H:%M:%S.%e %^%l%$ %v",
                   writes_json ? spdlog::pattern_time_type::utc : spdlog::pattern_time_type::local);
  spdlog::set_default_logger(std::move(log));
}

void log_event(spdlog::level::level_enum level, const std::string& event, const json& fields) {
  auto* log = spdlog::default_logger_raw();
  if (!log->should_log(level))
    return;
  if (writes_json) {
    auto text = dump(json{{"event", event}});
    text = text.substr(1, text.size() - 2);
    if (!fields.empty())
      text += "," + dump(fields).substr(1);
    else
      text += "}";
    text.pop_back(); // the pattern closes the object
    return log->log(level, spdlog::string_view_t{text});
  }
  auto text = event;
  for (const auto& [name, value] : fields.items())
    text += " " + name + "=" + plain(value);
  log->log(level, spdlog::string_view_t{text});
}

void log_task(const task_event& event) {
  const auto& task = *event.task;
  auto went_wrong = task.state == task_state::failed || task.state == task_state::rejected;
  auto level = went_wrong                ? spdlog::level::warn
               : is_terminal(task.state) ? spdlog::level::info
                                         : spdlog::level::debug;
  if (!spdlog::default_logger_raw()->should_log(level))
    return;
  json fields{{"task_id", task.id.str()}, {"role", task.role.str()}};
  if (!task.agent.id.empty())
    fields["agent_id"] = task.agent.id.str();
  fields["attempts"] = task.attempts;
  if (is_terminal(task.state)) {
    fields["queued_ms"] = task.queued.count();
    fields["run_ms"] = task.run.count();
  }
  if (!task.error.code.empty()) // the message may quote what an agent said
    fields["error"] = task.error.code;
  log_event(level, "task_" + to_string(task.state), fields);
}

void log_agent(const agent_event& event) {
  const auto& agent = event.agent;
  json fields{{"agent_id", agent.key.id.str()},
              {"service", agent.key.service.str()},
              {"node", agent.key.node.str()},
              {"role", agent.role.str()},
              {"state", to_string(agent.state)}};
  auto unhealthy = agent.state == agent_state::unhealthy;
  if (unhealthy) // the message may quote what the agent said
    fields["error"] = agent.problem.code;
  log_event(unhealthy ? spdlog::level::warn : spdlog::level::info,
            "agent_" + to_string(event.change), fields);
}

void log_membership(const membership::note& note) {
  json fields = json::object();
  auto add = [&](const char* name, const std::string& value) {
    if (!value.empty())
      fields[name] = value;
  };
  add("node", note.node);
  add("address", note.address);
  add("problem", note.problem);
  log_event(note.warning ? spdlog::level::warn : spdlog::level::info, note.event, fields);
}

} // namespace rolecall
