#pragma once

#include "app/agents_service/process.hpp"
#include "app/agents_service/protocol.hpp"
#include "app/agents_service/role.hpp"
#include "app/agents_service/supervisor.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rolecall::agents {

/// What all agents have in common: an id, the tasks that run, their deadlines, and the promise that
/// a task is answered once, when the process that worked on it has ended or has answered.
///
/// Used on the loop's thread. Shared: what runs keeps its agent alive.
class agent : public std::enable_shared_from_this<agent> {
public:
  using answer_handler = std::function<void(answer)>;

  agent(boost::asio::io_context& context, supervisor& processes, const role& kind, std::string id);
  virtual ~agent() = default;
  agent(const agent&) = delete;
  agent& operator=(const agent&) = delete;

  const std::string& id() const noexcept { return id_; }
  const role& kind() const noexcept { return role_; }

  std::size_t running() const noexcept { return runs_.size(); }
  bool is_free() const noexcept { return runs_.size() < role_.max_concurrency; }
  bool works_on(const std::string& task_id) const { return runs_.contains(task_id); }
  /// Whether it is this attempt that runs; any is, if the task came without a number.
  bool works_on(const std::string& task_id, std::string_view attempt) const;
  std::vector<std::string> task_ids() const;
  /// The process that lives as long as the agent, if it is of that kind.
  virtual std::optional<pid_t> pid() const { return std::nullopt; }

  /// Runs a task; the agent is free and does not work on that task. `done` is called exactly once,
  /// possibly from inside this call.
  void execute(execute_request request, answer_handler done);

  /// Ends a task early: it is answered with `verdict`, and then `then` is called, once its process
  /// has been killed. False, and no call, if there is no such task.
  bool cancel(const std::string& task_id, const answer& verdict, std::function<void()> then);

  /// Ends the agent: its tasks are answered with `verdict`, its processes killed, then `then` is
  /// called, possibly from inside this call. Nothing may be executed after that.
  void retire(const answer& verdict, std::function<void()> then);

protected:
  /// A task that is being worked on.
  struct run {
    run(boost::asio::io_context& context, execute_request what, answer_handler handler)
        : request{std::move(what)},
          done{std::move(handler)},
          deadline{context},
          started{std::chrono::steady_clock::now()} {}

    execute_request request;
    answer_handler done;
    boost::asio::steady_timer deadline;
    std::chrono::steady_clock::time_point started;
    std::optional<answer> verdict; ///< set when we end it, so that the first reason counts
    std::vector<std::function<void()>> then; ///< called after the answer
    std::shared_ptr<process> worker;         ///< null until it is started
  };
  using run_ptr = std::shared_ptr<run>;

  /// Gets the process to work on it. Everything about `worker` is up to the kind of agent.
  virtual void begin(const run_ptr& task) = 0;
  /// Kills what is left of a retired agent that has no task.
  virtual void end() { report_gone(); }

  /// Answers a task, with its verdict if there is one, and forgets it.
  void finish(const run_ptr& task, answer result);
  /// Kills the process of a task, which is answered with `verdict` when it is dead.
  void stop(const run_ptr& task, const answer& verdict);
  /// The agent has no task and no process any more.
  void report_gone();

  /// What a process that has ended without an answer means.
  answer failure_of(const process& worker, exit_status status) const;
  answer output_too_large() const;
  answer cannot_start(const std::string& why) const;

  /// The role's command. `task_id` empty: for a process that serves many tasks.
  command_line command(const std::string& task_id) const;
  /// The line that a process gets for a task, with the line break.
  std::string input_line(const execute_request& request) const;

  supervisor& processes_;
  const role& role_;
  std::map<std::string, run_ptr> runs_; ///< by task id, at most `max_concurrency`

private:
  boost::asio::io_context& context_;
  std::string id_;
  bool retired_{false};
  std::vector<std::function<void()>> when_gone_;
};

/// Starts an agent of a role. `lost` is called if it ends by itself, after its task is answered.
/// Gives a text that says why if its process cannot be started. `kind` and `processes` outlive it.
std::variant<std::shared_ptr<agent>, std::string> make_agent(boost::asio::io_context& context,
                                                             supervisor& processes,
                                                             const role& kind, std::string id,
                                                             std::function<void()> lost);

} // namespace rolecall::agents
