#include "app/loop_scheduler.hpp"

#include "net/on_loop.hpp"

#include <boost/asio/post.hpp>

#include <caf/logger.hpp>
#include <caf/resumable.hpp>
#include <caf/scheduled_actor.hpp>

#include <algorithm>
#include <utility>

namespace rolecall {

namespace {

/// Of actors, until the loop looks at its sockets and timers.
constexpr int max_turns = 32;

} // namespace

loop_unit* loop_unit::home_of(caf::resumable* what) {
  if (what->subtype() != caf::resumable::scheduled_actor)
    return nullptr;
  return dynamic_cast<loop_unit*>(static_cast<caf::scheduled_actor*>(what)->context());
}

void loop_unit::enqueue(caf::resumable* what) {
  if (is_here())
    return add(what);
  std::unique_lock guard{mutex_};
  if (refusing_) {
    guard.unlock();
    return caf::scheduler::abstract_coordinator::cleanup_and_release(what);
  }
  incoming_.push_back(what);
  if (incoming_.size() == 1) // else somebody has called already
    boost::asio::post(loop_, [self = shared_from_this()] {
      self->take_incoming();
      self->post_run();
    });
}

void loop_unit::exec_later(caf::resumable* what) {
  auto* home = home_of(what);
  if (home && home != this)
    home->enqueue(what);
  else
    add(what);
}

void loop_unit::add(caf::resumable* what) {
  if (closed_)
    return caf::scheduler::abstract_coordinator::cleanup_and_release(what);
  ready_.push_back(what);
  post_run();
}

void loop_unit::take_incoming() {
  std::vector<caf::resumable*> come;
  {
    std::lock_guard guard{mutex_};
    come.swap(incoming_);
  }
  ready_.insert(ready_.end(), come.begin(), come.end());
}

void loop_unit::post_run() {
  if (posted_ || ready_.empty())
    return;
  posted_ = true;
  boost::asio::post(loop_, [self = shared_from_this()] { self->run(); });
}

void loop_unit::run() {
  for (auto turns = max_turns; turns > 0 && !ready_.empty(); --turns) {
    auto* job = ready_.front();
    ready_.pop_front();
    switch (job->resume(this, max_throughput_)) {
    case caf::resumable::resume_later: ready_.push_back(job); break;
    case caf::resumable::awaiting_message:
    case caf::resumable::done:
    case caf::resumable::shutdown_execution_unit: // only CAF's own schedulers ask for that
      caf::intrusive_ptr_release(job);
      break;
    }
  }
  posted_ = false;
  post_run();
}

std::deque<caf::resumable*> loop_unit::close() {
  {
    std::lock_guard guard{mutex_};
    refusing_ = true;
  }
  take_incoming();
  closed_ = true;
  return std::exchange(ready_, {});
}

void loop_scheduler::load(caf::actor_system_config& config,
                          std::vector<boost::asio::io_context*> loops) {
  config.module_factories.emplace_back(
      [loops = std::move(loops)](caf::actor_system& system) -> caf::actor_system::module* {
        return new loop_scheduler(system, loops); // the system owns it
      });
}

loop_scheduler::loop_scheduler(caf::actor_system& system,
                               std::vector<boost::asio::io_context*> loops)
    : abstract_coordinator{system},
      loops_{std::move(loops)},
      clock_{std::make_shared<loop_clock>(*loops_.front())} {}

void loop_scheduler::start() {
  num_workers_ = loops_.size();
  for (auto* loop : loops_)
    units_.push_back(std::make_shared<loop_unit>(system(), *loop, max_throughput()));
  abstract_coordinator::start();
}

void loop_scheduler::enqueue(caf::resumable* what) {
  if (auto* home = loop_unit::home_of(what))
    return home->enqueue(what);
  auto here =
      std::find_if(units_.begin(), units_.end(), [](const auto& u) { return u->is_here(); });
  (here == units_.end() ? units_.front() : *here)->enqueue(what);
}

void loop_scheduler::stop() {
  stop_actors();
  clock_->cancel_all();
  for (const auto& unit : units_) {
    std::deque<caf::resumable*> rest;
    net::run_on_loop(unit->loop(), [&] {
      rest = unit->close();
      // A thread on which an actor spawned another keeps hold of the system's logger, for which the
      // system waits at its end.
      caf::logger::set_current_actor_system(nullptr);
    });
    for (auto* job : rest)
      cleanup_and_release(job);
  }
}

} // namespace rolecall
