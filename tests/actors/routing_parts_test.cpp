// The parts that a routing decision is made of, each alone.
#include "actors/router/agent_health.hpp"
#include "actors/router/choice_policy.hpp"
#include "actors/router/latency_model.hpp"
#include "actors/router/start_limits.hpp"

#include <catch2/catch.hpp>

#include <cmath>

using namespace rolecall;
using namespace std::chrono_literals;

namespace {

using time_point = std::chrono::steady_clock::time_point;
constexpr time_point start{1h};

} // namespace

TEST_CASE("an agent's speed is learnt over classes of tasks that take different times") {
  latency_model model;
  agent_speed slow;
  agent_speed fast;
  auto now = start;
  for (int i = 0; i < 200; ++i) {
    now += 100ms;
    model.learn({"long"}, i % 2 ? slow : fast, i % 2 ? 40'000 : 10'000, now);
    model.learn({"short"}, i % 2 ? slow : fast, i % 2 ? 400 : 100, now);
  }
  CHECK(std::exp(slow.log_factor - fast.log_factor) == Approx(4).epsilon(0.15));
  CHECK(model.class_mean("long") / model.class_mean("short") == Approx(100).epsilon(0.2));
  CHECK(model.class_mean("unheard of") == model.mean());
}

TEST_CASE("an agent that becomes slow is believed at once, a single long task is not") {
  latency_model model;
  agent_speed a;
  agent_speed other;
  auto now = start;
  auto learn = [&](agent_speed& of, double micros) { model.learn({}, of, micros, now += 100ms); };
  for (int i = 0; i < 100; ++i) {
    learn(a, i % 2 ? 700 : 1'400);
    learn(other, i % 2 ? 1'400 : 700);
  }
  auto before = a.log_factor;
  learn(a, 3'000);
  CHECK(a.log_factor - before < 0.3);
  for (int i = 0; i < 6; ++i)
    learn(a, 20'000);
  CHECK(a.log_factor - before > 2);
}

TEST_CASE("what was cut off counts only if it took longer than expected") {
  latency_model model;
  agent_speed a;
  for (int i = 1; i <= 20; ++i)
    model.learn({}, a, 1'000, start + i * 100ms);
  auto before = a;
  model.learn_at_least({}, a, 500, start + 3s);
  CHECK(a.samples == before.samples);
  model.learn_at_least({}, a, 50'000, start + 3s);
  CHECK(a.log_factor > before.log_factor);
}

TEST_CASE("what a lack of proficiency costs is learnt from the times") {
  latency_model model;
  agent_speed a;
  agent_speed b;
  auto cost = std::log(2.0);
  CHECK(model.lack_factor(cost) == 1); // nothing is known
  for (int i = 1; i <= 1'000; ++i) {
    model.learn({"", i % 2 ? cost : 0}, a, i % 2 ? 4'000 : 1'000, start + i * 100ms);
    model.learn({"", i % 3 ? cost : 0}, b, i % 3 ? 4'000 : 1'000, start + i * 100ms);
  }
  CHECK(model.lack_factor(cost) == Approx(4).epsilon(0.15));
  CHECK(model.expected({"", cost}, a) == Approx(4'000).epsilon(0.15));
  CHECK(std::abs(a.log_factor - b.log_factor) < 0.1);
}

TEST_CASE("what a context saves is learnt from the times, and never that it costs anything") {
  for (auto warm_micros : {500, 1'000, 3'000}) {
    latency_model model;
    agent_speed a;
    for (int i = 1; i <= 1'000; ++i)
      model.learn({"", 0, i % 2 == 0}, a, i % 2 ? 1'000 : warm_micros, start + i * 100ms);
    CHECK(model.warm_factor() == Approx(std::min(1.0, warm_micros / 1'000.0)).epsilon(0.1));
  }
}

TEST_CASE("how much longer an attempt will take depends on how long it has taken") {
  latency_model model;
  CHECK(model.expected_left(1'000, 0) == 1'000);
  CHECK(model.expected_left(0, 500) == 0);
  // Of the lognormal distribution with that mean and a variance of 0.25 of the logarithm, by
  // numerical integration.
  CHECK(model.expected_left(1'000, 500) == Approx(588.3).epsilon(0.01));
  CHECK(model.expected_left(1'000, 2'000) == Approx(513.6).epsilon(0.01));
  CHECK(model.expected_left(1'000, 1e12) == 1e12); // unlike anything that was seen
}

TEST_CASE("times that make no sense do no harm") {
  latency_model model;
  agent_speed a;
  for (auto micros : {0.0, -5.0, 1e300, 1.0})
    model.learn({}, a, micros, start);
  model.learn({}, a, 1'000, start - 10h);
  CHECK(std::isfinite(a.log_factor));
  CHECK(std::isfinite(model.mean()));
}

TEST_CASE("an agent that fails five times in a row is ejected, each time for longer") {
  agent_health health;
  ejection_options options;
  auto now = start;
  for (int i = 0; i < 4; ++i)
    CHECK_FALSE(health.failed(options, true, now));
  CHECK(health.failed(options, true, now));
  CHECK(health.ejected(now + 29'999ms));
  CHECK_FALSE(health.ejected(now + 30s));
  now += 30s;
  CHECK(health.on_probation(now));
  CHECK(health.failed(options, true, now)); // the one attempt that it got
  CHECK(health.ejected(now + 59s));
  CHECK_FALSE(health.ejected(now + 60s));
  now += 60s;
  health.succeeded(now);
  CHECK_FALSE(health.on_probation(now));
  CHECK_FALSE(health.failed(options, true, now)); // it counts anew
}

TEST_CASE("an ejection ends some time, and a success in between breaks the row") {
  agent_health health;
  ejection_options options;
  auto now = start;
  for (int round = 0; round < 100; ++round)
    for (int i = 0; i < 5; ++i)
      if (health.failed(options, true, now)) {
        CHECK(health.ejected_until() - now <= options.most);
        now = health.ejected_until();
      }
  agent_health other;
  for (int i = 0; i < 20; ++i) {
    for (int k = 0; k < 4; ++k)
      CHECK_FALSE(other.failed(options, true, now));
    other.succeeded(now);
  }
  CHECK_FALSE(other.failed(options, false, now)); // too many are ejected already
}

TEST_CASE("failures are forgotten with the time, whichever way the clock goes") {
  agent_health health;
  ejection_options options;
  for (int i = 0; i < 3; ++i)
    health.failed(options, true, start);
  CHECK(health.success(start) < 0.6);
  CHECK(health.success(start + 10min) == Approx(1));
  CHECK(health.success(start - 10min) == health.success(start));
  for (int i = 0; i < 2; ++i)
    health.failed(options, true, start);
  REQUIRE(health.ejected(start));
  health.clock_went_back(start + 10s, start - 5h);
  CHECK(health.ejected(start - 5h + options.base - 11s));
  CHECK_FALSE(health.ejected(start - 5h + options.base - 10s));
}

TEST_CASE("an agent that fails must be very quick indeed to be worth it") {
  CHECK(failure_factor(1, 1) == Approx(1));
  CHECK(failure_factor(0.5, 1) == Approx(5));
  CHECK(failure_factor(0, 1) > 100);
  CHECK(failure_factor(0.5, 0) == Approx(1));
}

TEST_CASE("a rate allows its burst at once, and then what it refills") {
  start_gate gate{{0, 2, 3}};
  for (int i = 0; i < 3; ++i) {
    CHECK_FALSE(gate.closed_until(start));
    gate.started(start);
  }
  CHECK(gate.closed_until(start) == start + 500ms);
  CHECK_FALSE(gate.closed_until(start + 500ms));
  gate.started(start + 500ms);
  CHECK(gate.closed_until(start + 600ms) == start + 1s);
  gate.no_later_than(start - 1h); // the clock goes back by an hour: nobody waits for one
  CHECK(*gate.closed_until(start - 1h) <= start - 1h + 500ms);
}

TEST_CASE("a cap counts what runs") {
  start_gate gate{{2, 0, 1}};
  gate.started(start);
  CHECK_FALSE(gate.at_cap());
  gate.started(start);
  CHECK(gate.at_cap());
  gate.ended();
  CHECK_FALSE(gate.at_cap());
  for (int i = 0; i < 5; ++i)
    gate.ended(); // more than were started
  gate.started(start);
  CHECK_FALSE(gate.at_cap());
}
