#pragma once

#include "app/agents_service/process.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <variant>

namespace rolecall::agents {

/// Starts processes, reaps them, and sees to it that none leaves anything behind.
///
/// A command may start others, which may leave its process group, its session, or its parent. So
/// this process is made the one to which their orphans are handed (a child subreaper), and every
/// command gets a mark in its environment that its descendants inherit: when a command has ended,
/// whatever carries its mark is killed. Only one that gives up both its parent and its environment
/// stays unknown, until the service itself ends (see `run_guarded`).
///
/// One at a time per process: it reaps every child, its own or not. All calls on the loop's thread;
/// destroyed when the loop does not run any more.
class supervisor {
public:
  /// `grace` is the time between SIGTERM and SIGKILL.
  supervisor(boost::asio::io_context& context, std::chrono::milliseconds grace);
  /// Kills what runs, with its descendants. No handler is called any more.
  ~supervisor();
  supervisor(const supervisor&) = delete;
  supervisor& operator=(const supervisor&) = delete;

  /// Starts a command; gives a text that says why if that cannot be done. Its environment gets
  /// `ROLECALL_PROCESS`, the mark.
  std::variant<std::shared_ptr<process>, std::string> start(command_line command,
                                                            process_handlers handlers);

  /// Kills a process and its descendants: SIGTERM now, SIGKILL after the grace. Its `ended` is
  /// called as ever. A process that has ended, or is being terminated, is left alone.
  void terminate(const std::shared_ptr<process>& target);

  /// Terminates everything. `gone` is called once nothing runs, from the loop.
  void terminate_all(std::function<void()> gone);

private:
  void wait_for_children();
  void reap();
  void sweep();
  void signal_tree(const process& target, int signal);
  std::vector<pid_t> orphans() const;
  void report_if_gone();

  boost::asio::io_context& context_;
  std::chrono::milliseconds grace_;
  std::string mark_prefix_; ///< tells our marks from those of another service
  std::size_t started_{0};
  boost::asio::signal_set child_ended_;
  std::map<pid_t, std::shared_ptr<process>> running_; ///< started and not yet reaped
  std::function<void()> gone_;                        ///< set while `terminate_all` waits
};

} // namespace rolecall::agents
