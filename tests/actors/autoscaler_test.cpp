// How many agents a role should have.
#include "actors/manager/autoscaler.hpp"

#include <catch2/catch.hpp>

using namespace rolecall;

namespace {

using time_point = autoscaler::time_point;

/// A role whose clock the test moves, a tick at a time, as the fleet does.
struct role_under_load {
  explicit role_under_load(role_policy policy = {}, scaling_windows windows = {})
      : scaler{policy, windows} {}

  void demand(std::uint32_t waiting, std::uint32_t running) {
    told.waiting = waiting;
    told.running = running;
    scaler.on_demand(told, slots, ready, now);
  }
  void advance(millis by, millis step = millis{100}) {
    for (; by > millis{0}; by -= step) {
      now += std::min(by, step);
      scaler.on_tick(slots, ready, now);
    }
  }
  /// It is measured how long a task takes, and a spawn.
  void times(millis task, millis spawn) {
    scaler.on_spawn_sent(now);
    scaler.on_spawn_ended(true, now + spawn);
    told.ended += 3;
    told.worked += 3 * task;
  }

  autoscaler scaler;
  role_demand told{role_name{"r"}};
  std::uint32_t slots{1};
  std::uint32_t ready{0};
  time_point now{std::chrono::hours{1}};
};

role_policy up_to(std::uint32_t most) {
  role_policy policy;
  policy.max_agents = most;
  return policy;
}

} // namespace

TEST_CASE("a role without agents needs one for each task that waits, at once, within its bounds") {
  auto policy = up_to(8);
  policy.min_agents = 1;
  role_under_load role{policy};
  CHECK(role.scaler.needed() == 1);
  role.demand(6, 0);
  CHECK(role.scaler.needed() == 6);
  role.demand(200, 0);
  CHECK(role.scaler.needed() == 8);
  role.demand(4'000'000'000u, 4'000'000'000u);
  CHECK(role.scaler.needed() == 8);
}

TEST_CASE("an agent that takes several tasks counts for as many") {
  role_under_load role;
  role.slots = 2;
  role.demand(5, 0);
  CHECK(role.scaler.needed() == 3);
}

TEST_CASE("what runs on agents that are on their way out needs no others") {
  role_under_load role;
  role.ready = 1;
  role.demand(0, 5);
  CHECK(role.scaler.needed() == 1);
}

TEST_CASE("what was needed is kept for the idle timeout, and not longer") {
  role_under_load role;
  role.demand(5, 0);
  role.ready = 5;
  role.demand(0, 5);
  role.advance(millis{30'000});
  role.demand(0, 1);
  role.advance(millis{58'000});
  CHECK(role.scaler.needed() == 1);
  CHECK(role.scaler.kept() == 5);
  role.advance(millis{3'000});
  CHECK(role.scaler.kept() == 1);
  role.demand(0, 0);
  role.advance(millis{62'000});
  CHECK(role.scaler.kept() == 0);
}

TEST_CASE("a target utilization keeps slots free beside those that are used") {
  auto policy = up_to(100);
  policy.target_utilization = 0.8;
  role_under_load role{policy};
  role.ready = 10;
  role.demand(0, 10);
  role.advance(millis{30'000});
  CHECK(role.scaler.needed() == 10); // half of the window: 5 on the mean
  role.advance(millis{31'000});
  CHECK(role.scaler.needed() == 13);
}

TEST_CASE("a burst is a panic: the short window counts, and nothing shrinks") {
  auto policy = up_to(100);
  policy.target_utilization = 0.8;
  role_under_load role{policy};
  role.ready = 1;
  role.demand(0, 1);
  role.advance(millis{60'000});
  CHECK_FALSE(role.scaler.panic());
  role.demand(19, 1);
  role.advance(millis{6'100});
  CHECK(role.scaler.panic());
  CHECK(role.scaler.needed() == 25);
  role.ready = 25;
  role.demand(0, 1);
  role.advance(millis{50'000});
  CHECK(role.scaler.panic());
  CHECK(role.scaler.kept() == 25);
  role.advance(millis{80'000});
  CHECK_FALSE(role.scaler.panic());
  CHECK(role.scaler.kept() == 2);
}

TEST_CASE("warm spares are there beside what is needed, within the maximum") {
  auto policy = up_to(4);
  policy.warm_spares = 2;
  role_under_load role{policy};
  CHECK(role.scaler.needed() == 2);
  role.ready = 2;
  role.demand(0, 1);
  CHECK(role.scaler.needed() == 3);
  role.demand(2, 2);
  CHECK(role.scaler.needed() == 4);
}

TEST_CASE("no agent is spawned for a line that will be gone before it could be there") {
  role_under_load role{up_to(100)};
  role.ready = 2;
  role.demand(40, 2);
  CHECK(role.scaler.needed() == 42); // nothing is known yet
  role.times(millis{100}, millis{10'000});
  role.demand(40, 2); // 4 s of work: two slots have it done in 2 s
  CHECK(role.scaler.needed() == 2);
  role.demand(1'000, 2); // 100 s of work: ten slots need the ten seconds
  CHECK(role.scaler.needed() == 10);
  role.ready = 0;
  role.demand(6, 0); // they wait for an agent anyway, and one is enough
  CHECK(role.scaler.needed() == 1);
}

TEST_CASE("tasks that take longer than a spawn get an agent each") {
  role_under_load role{up_to(100)};
  role.times(millis{2'000}, millis{100});
  role.demand(6, 0);
  CHECK(role.scaler.needed() == 6);
  role.ready = 2;
  role.demand(20, 2);
  CHECK(role.scaler.needed() == 22);
}

TEST_CASE("what comes all the time gets its agents within a second, however long a spawn takes") {
  role_under_load role{up_to(100)};
  role.ready = 1;
  role.times(millis{500}, millis{10'000});
  for (std::uint32_t waiting = 0; waiting < 40; waiting += 2) { // 40 a second for a second
    role.told.asked += 2;
    role.demand(waiting, 1);
    role.advance(millis{50}, millis{50});
  }
  CHECK(role.scaler.needed() == 20);
}

TEST_CASE("who was wanted only because nothing was known is not kept if he has not come") {
  role_under_load role{up_to(100)};
  role.demand(100, 0);
  CHECK(role.scaler.kept() == 100);
  role.ready = 3;
  role.demand(97, 3);
  role.times(millis{100}, millis{10'000});
  role.demand(94, 3);
  CHECK(role.scaler.kept() == 3);
}

TEST_CASE("agents that stay idle while tasks wait are of no help to them") {
  role_under_load role{up_to(100)};
  role.ready = 2;
  role.times(millis{50}, millis{10'000});
  role.demand(20, 2);
  CHECK(role.scaler.needed() == 2);
  role.demand(20, 1); // one agent is parked
  role.advance(millis{300});
  CHECK(role.scaler.needed() == 21);
}

TEST_CASE("a clock that jumps ends with the same agents") {
  role_under_load role;
  role.demand(3, 0);
  role.ready = 3;
  role.demand(0, 3);
  role.now -= std::chrono::hours{2};
  role.advance(millis{1'000});
  CHECK(role.scaler.kept() == 3);
  role.now += std::chrono::hours{1'000'000};
  role.advance(millis{1'000});
  CHECK(role.scaler.kept() == 3); // they still work
  role.demand(0, 0);
  role.now += std::chrono::hours{1'000'000};
  role.advance(millis{100});
  CHECK(role.scaler.kept() == 0);
}

TEST_CASE("the oldest spawn tells how long spawns have been under way") {
  role_under_load role;
  CHECK_FALSE(role.scaler.oldest_spawn(role.now));
  role.scaler.on_spawn_sent(role.now);
  role.now += millis{700};
  role.scaler.on_spawn_sent(role.now);
  CHECK(role.scaler.oldest_spawn(role.now) == millis{700});
  role.scaler.on_spawn_ended(false, role.now);
  CHECK(role.scaler.oldest_spawn(role.now) == millis{0});
}
