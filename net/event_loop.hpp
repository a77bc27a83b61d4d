#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <thread>

namespace rolecall::net {

/// One `io_context` with the one thread that runs it. All I/O of a node happens on its loops.
///
/// The constructor starts the thread, the destructor calls `stop`. Whoever owns something that does
/// I/O here destroys it before the loop, or calls `stop` first.
class event_loop {
public:
  event_loop();
  ~event_loop();
  event_loop(const event_loop&) = delete;
  event_loop& operator=(const event_loop&) = delete;

  /// For posting work and for making sockets. May be used from any thread.
  boost::asio::io_context& context() noexcept { return context_; }

  /// Ends the loop and joins its thread: handlers that have not run are destroyed without a call.
  /// Idempotent. Not to be called from the loop's own thread.
  void stop();

private:
  boost::asio::io_context context_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  std::thread thread_;
};

} // namespace rolecall::net
