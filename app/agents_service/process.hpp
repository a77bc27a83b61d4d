#pragma once

#include "app/agents_service/spawn.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace rolecall::agents {

/// How a process ended: by its own exit code, or by a signal.
struct exit_status {
  bool signaled{false};
  int number{0};
};

/// Called on the loop's thread, never from inside a call into the process or its supervisor.
struct process_handlers {
  /// A piece of stdout, as it came. Not called any more once the process is being terminated.
  std::function<void(std::string_view)> output;
  /// Called once, after the last `output`: the process has ended and what it left behind is killed.
  std::function<void(exit_status)> ended;
};

/// A running child process with its three pipes. Made, ended and reaped by the `supervisor`; used
/// on the loop's thread only.
class process : public std::enable_shared_from_this<process> {
public:
  /// How much of stderr is kept: its end, which is where programs say why they give up.
  static constexpr std::size_t max_error_bytes = 4'096;

  process(boost::asio::io_context& context, const spawned& child, std::string mark,
          process_handlers handlers);

  pid_t pid() const noexcept { return pid_; }

  /// Queues bytes for stdin and returns at once. A process that does not read them is fine: they
  /// are dropped when it ends or closes its stdin.
  void write(const std::string& bytes);
  /// Ends stdin once all that was queued is written.
  void close_input();

  /// The last bytes of stderr, without white space at the end. Not necessarily UTF-8.
  std::string error_text() const;

private:
  friend class supervisor;

  void start_reading();
  using sink = void (process::*)(std::string_view);
  void read_when_ready(boost::asio::posix::stream_descriptor& from, sink take);
  /// One read; gives what the system call gave.
  ssize_t read_some(boost::asio::posix::stream_descriptor& from, sink take);
  void write_next();
  void deliver(std::string_view bytes);
  void keep_error(std::string_view bytes);
  /// No more input or output: the process is being killed.
  void abandon();
  /// The process is reaped: takes what is left in the pipes and reports the end.
  void finish(exit_status status);

  pid_t pid_;
  std::string mark_;          ///< the value by which the supervisor knows the process's descendants
  process_handlers handlers_; ///< dropped at the end, since they may own whoever owns us
  boost::asio::posix::stream_descriptor input_;
  boost::asio::posix::stream_descriptor output_;
  boost::asio::posix::stream_descriptor error_;
  boost::asio::steady_timer kill_timer_; ///< runs from SIGTERM to SIGKILL
  std::string queued_;                   ///< for stdin, behind `writing_`
  std::string writing_;                  ///< in the hands of the system
  bool end_of_input_{false};
  bool terminating_{false};
  bool ended_{false};
  std::string error_tail_;
};

} // namespace rolecall::agents
