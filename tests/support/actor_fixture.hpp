#pragma once

#include "actors/coordinator/coordinator_actor.hpp"
#include "actors/manager/manager_actor.hpp"
#include "actors/registry/registry_actor.hpp"
#include "actors/router/router_actor.hpp"
#include "actors/workers/pool_actor.hpp"
#include "messages/interfaces.hpp"
#include "tests/support/scripted_client.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/scheduler/test_coordinator.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>

#include <deque>
#include <memory>

namespace rolecall::tests {

/// Actors under a clock that the test moves: nothing happens but by `run` and `advance`.
class actor_fixture {
public:
  actor_fixture()
      : system{config}, sched{dynamic_cast<scheduler&>(system.scheduler())}, self{system, true} {}

  ~actor_fixture() { end_all(); }

  /// Ends the actors; for fixtures with parts that they use to the last.
  void end_all() {
    for (const auto& actor : to_end)
      caf::anon_send_exit(actor, caf::exit_reason::user_shutdown);
    to_end.clear();
    run();
    // What was put off for later holds on to its receiver.
    sched.trigger_timeouts();
    run();
  }

  using scheduler = caf::scheduler::test_coordinator;

  struct system_config : caf::actor_system_config {
    system_config() {
      add_messages(*this);
      set("scheduler.policy", caf::atom("testing"));
    }
  };

  /// Ends with the fixture.
  template <class Handle>
  Handle keep(Handle handle) {
    to_end.push_back(caf::actor_cast<caf::actor>(handle));
    return handle;
  }

  /// Delivers all messages that are under way, and those that come of them.
  void run() { sched.run(); }

  /// Moves the clock, delivering what becomes due in the order in which it does.
  void advance(millis by) {
    constexpr millis step{10};
    for (; by > millis{0}; by -= step) {
      sched.advance_time(std::min(by, step));
      run();
    }
  }

  template <class Result, class Handle, class... Words>
  Result ask(const Handle& actor, Words... words) {
    std::optional<Result> result;
    auto response = self->request(actor, caf::infinite, words...);
    run();
    response.receive([&](Result& value) { result = std::move(value); },
                     [&](caf::error& error) { last_error = error; });
    return result.value_or(Result{});
  }

  /// All messages of a type that have come to the test itself and were not taken before.
  template <class Message>
  std::deque<Message> take() {
    run();
    std::deque<Message> result;
    auto more = true;
    while (more)
      self->receive([&](const Message& message) { result.push_back(message); },
                    caf::after(std::chrono::seconds{0}) >> [&] { more = false; });
    return result;
  }

  template <class Interface>
  Interface me() {
    return caf::actor_cast<Interface>(self);
  }

  system_config config;
  caf::actor_system system;
  scheduler& sched;
  caf::scoped_actor self;
  std::vector<caf::actor> to_end;
  caf::error last_error;
};

inline agent_record make_agent(const std::string& id, const std::string& role = "reviewer",
                               std::uint32_t max_concurrency = 1, std::uint64_t revision = 1) {
  agent_record record;
  record.key = {service_name{"local"}, agent_id{id}};
  record.role = role_name{role};
  record.max_concurrency = max_concurrency;
  record.service_url = "http://service";
  record.revision = revision;
  return record;
}

inline task_spec make_task(const std::string& id, const std::string& role = "reviewer") {
  task_spec task;
  task.id = task_id{id};
  task.role = role_name{role};
  task.input = json_text{"{}"};
  return task;
}

} // namespace rolecall::tests
