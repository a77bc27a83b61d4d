#pragma once

#include "app/loop_scheduler.hpp"
#include "net/event_loop.hpp"

#include <caf/all.hpp>
#include <catch2/catch.hpp>

#include <deque>
#include <future>

namespace rolecall::tests {

/// Actors on event loops that run. What their work refers to is declared before this, and so
/// outlives the loops.
struct loop_system {
  explicit loop_system(std::size_t count = 1, std::size_t throughput = 16) : loops(count) {
    std::vector<boost::asio::io_context*> contexts;
    for (auto& loop : loops)
      contexts.push_back(&loop.context());
    loop_scheduler::load(config, contexts);
    config.set("scheduler.max-throughput", throughput);
    system = std::make_unique<caf::actor_system>(config);
  }

  std::deque<net::event_loop> loops;
  caf::actor_system_config config;
  std::unique_ptr<caf::actor_system> system;
};

/// What has been promised: the bound is for a test that fails.
template <class T>
T get(std::promise<T>& promised) {
  auto result = promised.get_future();
  REQUIRE(result.wait_for(std::chrono::seconds{30}) == std::future_status::ready);
  return result.get();
}

} // namespace rolecall::tests
