#pragma once

#include "app/loop_clock.hpp"

#include <boost/asio/io_context.hpp>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/execution_unit.hpp>
#include <caf/scheduler/abstract_coordinator.hpp>

#include <deque>
#include <memory>
#include <mutex>
#include <vector>

namespace rolecall {

/// One event loop's actors: those that are ready to run, and the handler on the loop that runs
/// them.
///
/// The handler gives them turns of `scheduler.max-throughput` messages, one after the other; who
/// has more to do after its turn goes to the end of the line. After 32 turns it posts itself again,
/// so that the loop looks at its sockets and timers. A loop on which no actor is ready has no
/// handler, and sleeps until something happens.
class loop_unit final : public caf::execution_unit, public std::enable_shared_from_this<loop_unit> {
public:
  loop_unit(caf::actor_system& system, boost::asio::io_context& loop, std::size_t max_throughput)
      : caf::execution_unit{&system}, loop_{loop}, max_throughput_{max_throughput} {}

  /// Has it run here, from any thread. A reference to `what` is handed over.
  void enqueue(caf::resumable* what);
  /// From an actor that runs here: `what` runs where it belongs.
  void exec_later(caf::resumable* what) override;

  /// Where it belongs: where it ran first. Null if it has yet to run.
  static loop_unit* home_of(caf::resumable* what);

  bool is_here() const { return loop_.get_executor().running_in_this_thread(); }

  /// Runs nothing any more, and gives what was to run. On the loop, or once it has stopped.
  std::deque<caf::resumable*> close();
  boost::asio::io_context& loop() noexcept { return loop_; }

private:
  void add(caf::resumable* what);
  void post_run();
  void run();
  void take_incoming();

  boost::asio::io_context& loop_;
  const std::size_t max_throughput_;
  std::deque<caf::resumable*> ready_; // of the loop's thread, as are the next two
  bool posted_{false};
  bool closed_{false};
  std::mutex mutex_;
  std::vector<caf::resumable*> incoming_; // from other threads; guarded by the mutex
  bool refusing_{false};                  // likewise
};

/// CAF's scheduler on event loops: actors run on the threads that do their I/O, so that a message
/// from a socket to an actor, or from an actor to a socket, wakes no other thread. It has no
/// threads of its own. With several loops each actor has one on which it always runs, so that what
/// it works with stays near: the one on which it was spawned, or the first if that was elsewhere.
///
/// The loops have to run until the actor system has been destroyed, and have to outlive it.
class loop_scheduler final : public caf::scheduler::abstract_coordinator {
public:
  /// Has the systems of this configuration run their actors on these loops, of which there must be
  /// one at least.
  static void load(caf::actor_system_config& config, std::vector<boost::asio::io_context*> loops);

  loop_scheduler(caf::actor_system& system, std::vector<boost::asio::io_context*> loops);

  void enqueue(caf::resumable* what) override;
  caf::actor_clock& clock() noexcept override { return *clock_; }

protected:
  void start() override;
  void stop() override;

private:
  std::vector<boost::asio::io_context*> loops_;
  std::vector<std::shared_ptr<loop_unit>> units_; // made by `start`
  std::shared_ptr<loop_clock> clock_;
};

} // namespace rolecall
