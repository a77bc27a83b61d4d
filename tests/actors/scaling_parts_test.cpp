// The parts of scaling: what is measured, how a total is divided, how fast is spawned.
#include "actors/manager/fair_division.hpp"
#include "actors/manager/load_window.hpp"
#include "actors/manager/spawn_limit.hpp"
#include "actors/manager/work_meter.hpp"

#include <catch2/catch.hpp>

using namespace rolecall;
using namespace std::chrono_literals;

namespace {

using time_point = std::chrono::steady_clock::time_point;
using shares = std::vector<std::uint32_t>;

/// A role's work as the router tells it.
struct told_work {
  void tell(std::uint64_t asked, std::uint64_t ended, micros worked, std::uint32_t running = 0) {
    demand.asked += asked;
    demand.ended += ended;
    demand.worked += worked;
    demand.running = running;
    meter.told(demand, now);
  }

  work_meter meter;
  role_demand demand;
  time_point now{1h};
};

} // namespace

TEST_CASE("a task's time is the mean of the last ten or so, once three have ended") {
  told_work work;
  work.tell(9, 2, 4s);
  CHECK_FALSE(work.meter.task_s());
  work.tell(0, 1, 2s);
  CHECK(work.meter.task_s().value() == Approx(2));
  for (int i = 0; i < 30; ++i)
    work.tell(1, 1, 500ms);
  CHECK(work.meter.task_s().value() == Approx(0.5).margin(0.1));
}

TEST_CASE("a measured time is not believed for ever if no task ends any more") {
  told_work work;
  work.tell(9, 4, 400ms, 5);
  work.now += 10s;
  work.tell(0, 0, 0s, 5);
  CHECK(work.meter.task_s().value() == Approx(5));
  work.tell(0, 0, 0s, 0);
  CHECK(work.meter.task_s().value() == Approx(0.1));
}

TEST_CASE("many tasks that have begun together and not ended yet are not taken for long ones") {
  told_work work;
  work.tell(9, 4, 2s, 50);
  work.now += 450ms;
  work.tell(0, 0, 0s, 50);
  CHECK(work.meter.task_s().value() == Approx(0.5));
}

TEST_CASE("a router that begins anew counts from nothing") {
  told_work work;
  work.tell(1'000, 1'000, 100s);
  work.demand = {};
  work.tell(3, 3, 300ms);
  CHECK(work.meter.task_s().value() == Approx(0.1).margin(1e-3));
}

TEST_CASE("tasks that come all the time are a rate within a second, a batch is none") {
  told_work work;
  work.tell(1'000, 0, 0s);
  for (int i = 0; i < 8; ++i) {
    CHECK(work.meter.arrivals() == 0);
    work.now += 100ms;
    work.tell(0, 0, 0s);
  }
  for (int i = 0; i < 10; ++i) {
    work.now += 100ms;
    work.tell(5, 0, 0s);
  }
  CHECK(work.meter.arrivals() == Approx(50).margin(10));
  work.now += 1s;
  work.tell(0, 0, 0s);
  CHECK(work.meter.arrivals() == 0);
  work.now += 24h * 365;
  work.tell(7, 0, 0s);
  CHECK(work.meter.arrivals() == 0);
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
