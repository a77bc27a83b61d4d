// How many agents a role should have, and how a total is divided.
#include "actors/manager/autoscaler.hpp"
#include "actors/manager/fair_division.hpp"
#include "actors/manager/spawn_limit.hpp"

#include <catch2/catch.hpp>

using namespace rolecall;

namespace {

using time_point = autoscaler::time_point;

/// A role whose clock the test moves, a tick at a time, as the fleet does.
struct role_under_load {
  explicit role_under_load(role_policy policy = {}, scaling_windows windows = {})
      : scaler{policy, windows} {}

  void demand(std::uint32_t waiting, std::uint32_t running) {
    scaler.on_demand({role_name{"r"}, waiting, running, 0}, slots, ready, now);
  }
  void advance(millis by, millis step = millis{100}) {
    for (; by > millis{0}; by -= step) {
      now += std::min(by, step);
      scaler.on_tick(slots, ready, now);
    }
  }
  void spawns_take(millis time) {
    scaler.on_spawn_sent(now);
    scaler.on_spawn_ended(true, now + time);
  }
  /// Tasks end one after the other while others wait: each slot has a new one at once.
  void work_off(std::uint32_t& waiting, std::uint32_t running, millis between, int ends) {
    for (; ends > 0; --ends) {
      advance(between);
      demand(--waiting, running);
    }
  }

  autoscaler scaler;
  std::uint32_t slots{1};
  std::uint32_t ready{0};
  time_point now{std::chrono::hours{1}};
};

role_policy up_to(std::uint32_t most) {
  role_policy policy;
  policy.max_agents = most;
  return policy;
}

using shares = std::vector<std::uint32_t>;

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
  std::uint32_t waiting = 100;
  role.demand(waiting, 2);
  CHECK(role.scaler.needed() == 100); // nothing is known yet
  role.spawns_take(millis{10'000});
  role.work_off(waiting, 2, millis{50}, 60); // two slots, an end each 50 ms: a task takes 100 ms
  // 40 tasks of 100 ms are 4 s of work: two slots have it done in 2 s.
  CHECK(role.scaler.needed() == 2);
  role.demand(1'000, 2); // 100 s of work: ten slots need the ten seconds
  CHECK(role.scaler.needed() == 10);
}

TEST_CASE("tasks that take longer than a spawn get an agent each") {
  role_under_load role{up_to(100)};
  role.ready = 2;
  std::uint32_t waiting = 30;
  role.demand(waiting, 2);
  role.spawns_take(millis{100});
  role.work_off(waiting, 2, millis{500}, 10);
  CHECK(role.scaler.needed() == 22);
}

TEST_CASE("a measured time is not believed for ever if no task ends any more") {
  role_under_load role{up_to(100)};
  role.ready = 1;
  std::uint32_t waiting = 30;
  role.demand(waiting, 1);
  role.spawns_take(millis{1'000});
  role.work_off(waiting, 1, millis{10}, 20);
  CHECK(role.scaler.needed() == 1);
  role.advance(millis{3'000}); // 10 wait for tasks that have become long
  CHECK(role.scaler.needed() == 11);
}

TEST_CASE("agents that stay idle while tasks wait are of no help to them") {
  role_under_load role{up_to(100)};
  role.ready = 2;
  std::uint32_t waiting = 40;
  role.demand(waiting, 2);
  role.spawns_take(millis{10'000});
  role.work_off(waiting, 2, millis{50}, 20);
  CHECK(role.scaler.needed() == 2);
  role.demand(waiting, 1); // one agent is parked
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

TEST_CASE("a mean is over time, and forgets what is older than its span") {
  load_window window{millis{60'000}};
  time_point now{std::chrono::hours{1}};
  window.set(6, now);
  CHECK(window.mean(now += std::chrono::seconds{30}) == Approx(3).margin(0.1));
  window.set(0, now);
  CHECK(window.mean(now += std::chrono::seconds{30}) == Approx(3).margin(0.1));
  CHECK(window.peak(now) == 6);
  CHECK(window.mean(now += std::chrono::seconds{20}) == Approx(1).margin(0.1));
  CHECK(window.mean(now += std::chrono::seconds{12}) == Approx(0).margin(1e-6));
  CHECK(window.peak(now) == 0);
  window.note(4, now);
  CHECK(window.peak(now += std::chrono::seconds{59}) == 4);
  CHECK(window.mean(now) == Approx(0).margin(1e-6));
}

TEST_CASE("a total is divided so that nobody gets more than he wants, and the rest evenly") {
  CHECK(divide_fairly(10, {{0, 2}, {0, 8}, {0, 10}}) == shares{2, 4, 4});
  CHECK(divide_fairly(10, {{0, 1}, {0, 2}}) == shares{1, 2});
  CHECK(divide_fairly(10, {{6, 9}, {0, 9}}) == shares{6, 4});
  CHECK(divide_fairly(7, {{0, 5}, {0, 5}}) == shares{4, 3});
  CHECK(divide_fairly(3, {{2, 5}, {2, 5}}) == shares{2, 2}); // the least is never less
  CHECK(divide_fairly(0, {{0, 5}}) == shares{0});
  CHECK(divide_fairly(5, {}).empty());
  CHECK(divide_fairly(4'000'000'000u, {{0, 4'000'000'000u}, {0, 4'000'000'000u}}) ==
        shares{2'000'000'000u, 2'000'000'000u});
}

TEST_CASE("spawns are limited by a rate, with some at once") {
  spawn_limit limit{10, 3};
  time_point now{std::chrono::hours{1}};
  for (int i = 0; i < 3; ++i)
    CHECK(limit.take(now));
  CHECK_FALSE(limit.take(now));
  CHECK(limit.wait(now) == millis{100});
  now += millis{100};
  CHECK(limit.take(now));
  CHECK_FALSE(limit.take(now - std::chrono::hours{1}));
  now += std::chrono::hours{1};
  for (int i = 0; i < 3; ++i)
    CHECK(limit.take(now));
  CHECK_FALSE(limit.take(now));
}
