#include "app/run/summary.hpp"

#include "app/terminal.hpp"
#include "messages/json_codec.hpp"

#include <cmath>
#include <cstdio>

namespace rolecall {

namespace {

double rounded(double value, double steps) {
  return std::round(value * steps) / steps;
}

} // namespace

double run_summary::success_rate() const {
  return submitted == 0 ? 0 : static_cast<double>(completed) / static_cast<double>(submitted);
}

double run_summary::speedup() const {
  return wall.count() == 0
             ? 0
             : static_cast<double>(run_total.count()) / static_cast<double>(wall.count());
}

run_summary summarize(const std::vector<task_record>& tasks, millis wall,
                      std::uint64_t agents_spawned) {
  run_summary result;
  result.wall = wall;
  result.agents_spawned = agents_spawned;
  for (const auto& task : tasks) {
    ++result.submitted;
    result.run_total += task.run;
    result.retries += task.attempts > 1 ? task.attempts - 1 : 0;
    if (task.state == task_state::completed)
      ++result.completed;
    else if (task.state == task_state::canceled)
      ++result.canceled;
    else if (is_terminal(task.state))
      ++result.failed;
  }
  return result;
}

nlohmann::ordered_json report(const std::vector<task_record>& tasks, const run_summary& summary) {
  auto list = nlohmann::ordered_json::array();
  for (const auto& task : tasks)
    list.push_back(to_json(task));
  return {{"tasks", std::move(list)},
          {"summary",
           {{"submitted", summary.submitted},
            {"completed", summary.completed},
            {"failed", summary.failed},
            {"canceled", summary.canceled},
            {"success_rate", rounded(summary.success_rate(), 1e4)},
            {"wall_ms", summary.wall.count()},
            {"run_ms_total", summary.run_total.count()},
            {"speedup", rounded(summary.speedup(), 100)},
            {"agents_spawned", summary.agents_spawned},
            {"retries", summary.retries}}}};
}

std::string to_text(const run_summary& summary) {
  char text[512];
  std::snprintf(text, sizeof text,
                "succeeded %zu, failed %zu, canceled %zu of %zu tasks (success rate %.1f %%)\n"
                "wall time %s, sum of execution times %s, speed-up %.2f\n"
                "agents spawned %llu, retries %llu\n",
                summary.completed, summary.failed, summary.canceled, summary.submitted,
                100 * summary.success_rate(), short_time(summary.wall).c_str(),
                short_time(summary.run_total).c_str(), summary.speedup(),
                static_cast<unsigned long long>(summary.agents_spawned),
                static_cast<unsigned long long>(summary.retries));
  return text;
}

std::string short_time(millis value) {
  if (value < millis{1'000})
    return std::to_string(value.count()) + "ms";
  char text[32];
  std::snprintf(text, sizeof text, "%.2fs", static_cast<double>(value.count()) / 1'000);
  return text;
}

std::string gist(const task_record& task, std::size_t width) {
  std::string text;
  if (task.state == task_state::completed) {
    auto output = nlohmann::json::parse(task.output.str());
    if (output.is_object() && output.contains("summary") && output["summary"].is_string())
      text = output["summary"].get<std::string>();
    else if (output.is_string())
      text = output.get<std::string>();
    else
      text = task.output.str().substr(0, 4 * width);
  } else if (!task.error.code.empty()) {
    text = task.error.code + ": " + task.error.message;
  }
  auto shown = cut(text, width);
  return shown.size() < printable(text).size() ? shown + "..." : shown;
}

} // namespace rolecall
