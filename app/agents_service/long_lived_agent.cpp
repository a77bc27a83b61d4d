#include "app/agents_service/long_lived_agent.hpp"

#include <spdlog/spdlog.h>

#include <utility>

namespace rolecall::agents {

std::optional<std::string> long_lived_agent::start(std::function<void()> lost) {
  auto self = std::static_pointer_cast<long_lived_agent>(shared_from_this());
  auto started =
      processes_.start(command(""), {[self](std::string_view bytes) { self->take_output(bytes); },
                                     [self](exit_status status) { self->process_ended(status); }});
  if (auto* why = std::get_if<std::string>(&started))
    return std::move(*why);
  process_ = std::get<std::shared_ptr<process>>(started);
  lost_ = std::move(lost);
  return std::nullopt;
}

std::optional<pid_t> long_lived_agent::pid() const {
  return process_ ? std::optional{process_->pid()} : std::nullopt;
}

void long_lived_agent::begin(const run_ptr& task) {
  task->worker = process_;
  process_->write(input_line(task->request));
}

void long_lived_agent::end() {
  if (process_)
    processes_.terminate(process_);
  else
    report_gone();
}

void long_lived_agent::take_output(std::string_view bytes) {
  unfinished_line_ += bytes;
  std::size_t start = 0;
  for (auto end = unfinished_line_.find('\n'); end != std::string::npos;
       end = unfinished_line_.find('\n', start)) {
    take_line(std::string_view{unfinished_line_}.substr(start, end - start));
    start = end + 1;
  }
  unfinished_line_.erase(0, start);
  if (unfinished_line_.size() <= role_.max_output_bytes)
    return;
  unfinished_line_.clear();
  if (runs_.empty())
    processes_.terminate(process_);
  else
    stop(runs_.begin()->second, output_too_large());
}

void long_lived_agent::take_line(std::string_view line) {
  if (runs_.empty()) {
    spdlog::warn("agent {} wrote a line that no task asked for; it is dropped", id());
    return;
  }
  auto task = runs_.begin()->second;
  if (line.size() > role_.max_output_bytes)
    finish(task, output_too_large());
  else
    finish(task, answer_from_output(line));
}

void long_lived_agent::process_ended(exit_status status) {
  auto ended = std::exchange(process_, nullptr);
  for (auto& [task_id, task] : std::map{runs_}) {
    auto failure = failure_of(*ended, status);
    // It ended in the middle of a task. Whatever its exit code, that is the agent's fault.
    finish(task, refusal(500, "agent_crashed", failure.body["error"]["message"]));
  }
  spdlog::info("agent {} has ended", id());
  report_gone();
  if (lost_)
    std::exchange(lost_, {})();
}

} // namespace rolecall::agents
