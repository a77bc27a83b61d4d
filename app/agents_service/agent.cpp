#include "app/agents_service/agent.hpp"

#include "app/agents_service/long_lived_agent.hpp"
#include "app/agents_service/per_task_agent.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include <unistd.h>

namespace rolecall::agents {

namespace {

constexpr int temporary_failure = 75; // EX_TEMPFAIL of sysexits.h: "try again later"

/// One word for the log. An agent may have written the code of a failure: it is not let in there if
/// it could pass for a line of ours.
std::string word_for(const answer& result) {
  if (!result.body.contains("error"))
    return "completed";
  auto code = result.body["error"]["code"].get<std::string>();
  return name_problem(code, 64) ? "failed" : code;
}

} // namespace

agent::agent(boost::asio::io_context& context, supervisor& processes, const role& kind,
             std::string id)
    : processes_{processes}, role_{kind}, context_{context}, id_{std::move(id)} {}

bool agent::works_on(const std::string& task_id, std::string_view attempt) const {
  auto found = runs_.find(task_id);
  if (found == runs_.end())
    return false;
  const auto& body = found->second->request.body;
  return !body.contains("attempt") || body["attempt"].dump() == attempt;
}

std::vector<std::string> agent::task_ids() const {
  std::vector<std::string> result;
  for (const auto& [task_id, task] : runs_)
    result.push_back(task_id);
  return result;
}

void agent::execute(execute_request request, answer_handler done) {
  auto timeout = std::min(role_.timeout, request.timeout.value_or(role_.timeout));
  auto task = std::make_shared<run>(context_, std::move(request), std::move(done));
  runs_.emplace(task->request.task_id, task);
  task->deadline.expires_after(timeout);
  task->deadline.async_wait(
      [self = shared_from_this(), task, timeout](const boost::system::error_code& canceled) {
        if (!canceled)
          self->stop(task, refusal(504, "timeout", "no answer within " + format_duration(timeout)));
      });
  begin(task);
}

bool agent::cancel(const std::string& task_id, const answer& verdict, std::function<void()> then) {
  auto found = runs_.find(task_id);
  if (found == runs_.end())
    return false;
  auto task = found->second;
  task->then.push_back(std::move(then));
  stop(task, verdict);
  return true;
}

void agent::retire(const answer& verdict, std::function<void()> then) {
  retired_ = true;
  when_gone_.push_back(std::move(then));
  if (runs_.empty())
    return end();
  for (auto& [task_id, task] : std::map{runs_})
    stop(task, verdict);
}

void agent::stop(const run_ptr& task, const answer& verdict) {
  if (task->verdict || !task->worker)
    return; // being killed already, or answered
  task->verdict = verdict;
  processes_.terminate(task->worker);
}

void agent::finish(const run_ptr& task, answer result) {
  using std::chrono::milliseconds;
  task->deadline.cancel();
  task->worker = nullptr;
  if (task->verdict)
    result = *task->verdict;
  runs_.erase(task->request.task_id);
  auto took = std::chrono::steady_clock::now() - task->started;
  spdlog::info("task {} on {}: {} after {} ms", task->request.task_id, id_, word_for(result),
               std::chrono::duration_cast<milliseconds>(took).count());
  std::exchange(task->done, {})(std::move(result));
  for (auto& then : std::exchange(task->then, {}))
    then();
  if (retired_ && runs_.empty())
    end();
}

void agent::report_gone() {
  for (auto& then : std::exchange(when_gone_, {}))
    then();
}

answer agent::failure_of(const process& worker, exit_status status) const {
  auto said = worker.error_text();
  auto with_stderr = [&](const std::string& what) {
    return said.empty() ? what : what + ": " + said;
  };
  if (status.signaled)
    return refusal(500, "agent_crashed",
                   with_stderr("killed by signal " + std::to_string(status.number) + " (" +
                               ::strsignal(status.number) + ")"));
  auto what = with_stderr("exit code " + std::to_string(status.number));
  if (status.number == temporary_failure)
    return refusal_for_now(503, "temporary_failure", what);
  return task_failed("command_failed", what);
}

answer agent::output_too_large() const {
  return task_failed("output_too_large", "the answer is larger than " +
                                             std::to_string(role_.max_output_bytes) + " bytes");
}

answer agent::cannot_start(const std::string& why) const {
  return refusal_for_now(503, "spawn_failed", why);
}

command_line agent::command(const std::string& task_id) const {
  std::map<std::string, std::string> variables;
  for (char** entry = environ; *entry; ++entry) {
    std::string_view text{*entry};
    if (auto equals = text.find('='); equals != std::string_view::npos)
      variables.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  for (const auto& [name, value] : role_.environment)
    variables[name] = value;
  variables["ROLECALL_AGENT_ID"] = id_;
  variables["ROLECALL_ROLE"] = role_.name;
  variables.erase("ROLECALL_TASK_ID"); // of an agent that we run in
  if (!task_id.empty())
    variables["ROLECALL_TASK_ID"] = task_id;
  command_line result{role_.program, role_.command, role_.directory, {}};
  for (const auto& [name, value] : variables)
    result.environment.push_back(std::string{name}.append("=").append(value));
  return result;
}

std::string agent::input_line(const execute_request& request) const {
  auto body = request.body;
  body["agent_id"] = id_;
  body["role"] = role_.name;
  return body.dump() + '\n';
}

std::variant<std::shared_ptr<agent>, std::string> make_agent(boost::asio::io_context& context,
                                                             supervisor& processes,
                                                             const role& kind, std::string id,
                                                             std::function<void()> lost) {
  if (kind.mode == process_mode::per_task)
    return std::make_shared<per_task_agent>(context, processes, kind, std::move(id));
  auto result = std::make_shared<long_lived_agent>(context, processes, kind, std::move(id));
  if (auto why = result->start(std::move(lost)))
    return std::move(*why);
  return result;
}

} // namespace rolecall::agents
