// The manager's core in the simulator.
#include "tests/app/simulate/lab_fixture.hpp"

using namespace rolecall;
using namespace rolecall::lab;
using namespace rolecall::lab::tests;

namespace {

scenario scaled(std::uint32_t most) {
  auto what = plain_scenario(1);
  what.scaling.emplace();
  what.scaling->fleet.services = {{service_name{"lab"}, "http://lab"}};
  what.scaling->fleet.defaults.max_agents = most;
  what.scaling->spawn_delay_s = 2;
  return what;
}

} // namespace

TEST_CASE("agents are spawned for tasks, after the time that this takes, and are counted") {
  auto what = scaled(3);
  for (int i = 0; i < 6; ++i)
    what.tasks.push_back(task_at(5, 10));
  auto result = run(what);
  CHECK(result.most_agents == 3);
  for (const auto& end : result.tasks)
    CHECK(end.completed);
  CHECK(result.ended_s == Approx(5 + 2 + 20).margin(0.5));
  CHECK(result.agent_seconds >= 3 * 22);
  CHECK(result.busy_agent_seconds == Approx(60));
}

TEST_CASE("agents that have nothing to do are retired, down to none") {
  auto what = scaled(3);
  what.tasks = {task_at(0, 1), task_at(0, 1)};
  what.run_until_s = 1'200;
  auto result = run(what);
  REQUIRE(!result.steps.empty());
  CHECK(result.steps.back().agents == 0);
  CHECK(result.agent_seconds < 3 * 1'000);
}

TEST_CASE("a service that refuses to spawn for a time gets its agents afterwards") {
  auto what = scaled(2);
  what.scaling->outages = {{0, 5}};
  what.tasks = {task_at(0, 1), task_at(0, 1)};
  auto result = run(what);
  CHECK(result.tasks[0].completed);
  CHECK(result.tasks[0].started_s > 5);
}

TEST_CASE("agents whose limit nobody declares come a few at first, and more as they are needed") {
  struct expectation {
    double cores;
    double work_s;
    std::size_t least;
    std::size_t most;
    double within_s; ///< from the tasks' arrival to the end of the last
  };
  for (const auto& e : {
           expectation{20, 0.2, 8, 16, 3},        // learnt before there are many
           expectation{20, 2, 8, 80, 12},         //
           expectation{1, 2, 30, 100, 20},        // one at a time: more are needed
           expectation{1, 30, 90, 100, 30 * 2.5}, // long tasks: all of them, soon
       }) {
    auto what = scaled(100);
    what.scaling->spawn_delay_s = 0.5;
    what.agents[0].limit = 64;
    what.agents[0].limit_declared = false;
    what.agents[0].cores = e.cores;
    chance random{1};
    auto work = distribution::lognormal(e.work_s, 0.2);
    for (int i = 0; i < 100; ++i)
      what.tasks.push_back(task_at(1, work.sample(random)));
    auto result = run(what);
    INFO(e.cores << " cores, tasks of " << e.work_s << " s");
    CHECK(result.most_agents >= e.least);
    CHECK(result.most_agents <= e.most);
    auto last = std::max_element(result.tasks.begin(), result.tasks.end(),
                                 [](auto& a, auto& b) { return a.ended_s < b.ended_s; });
    CHECK(last->ended_s - 1 <= e.within_s);
  }
}

TEST_CASE("a role whose limits were learnt has as many agents as if they were declared") {
  auto most_of = [](bool declared) {
    auto what = scaled(100);
    what.agents[0].limit = declared ? 8 : 64;
    what.agents[0].limit_declared = declared;
    what.agents[0].cores = 8;
    chance random{1};
    arrivals when;
    when.per_second = 40;
    when.until_s = 600;
    add_tasks(what, 0, when, distribution::lognormal(1, 0.3), random);
    auto result = run(what);
    double area = 0; // agents over the last five minutes
    for (std::size_t i = 0; i < result.steps.size(); ++i) {
      auto to = i + 1 < result.steps.size() ? result.steps[i + 1].at_s : 600;
      area += std::max(0.0, std::min(600.0, to) - std::max(300.0, result.steps[i].at_s)) *
              result.steps[i].agents;
    }
    return area / 300;
  };
  auto declared = most_of(true);
  CHECK(declared == Approx(6.5).margin(1.5)); // 40 tasks at a time
  CHECK(most_of(false) < 1.6 * declared);
}

TEST_CASE(
    "a burst of tasks that are much shorter than a spawn gets what it needs, not an agent each") {
  auto what = scaled(200);
  auto& role = what.scaling->fleet.defaults;
  role.idle_timeout = millis{10'000};
  what.scaling->fleet.roles[role_name{"worker"}] = role;
  what.scaling->fleet.roles[role_name{"worker"}].min_agents = 1;
  what.scaling->spawn_delay_s = 2;
  auto come = [&](double from, double until, double per_second) {
    for (auto at = from; at < until; at += 1 / per_second)
      what.tasks.push_back(task_at(at, 0.5));
  };
  come(5, 15, 1.8); // keeps one agent busy
  come(15, 35, 36); // 18 of them
  come(35, 55, 1.8);
  what.run_until_s = 55;
  auto result = run(what);
  std::optional<double> full_at;
  for (const auto& step : result.steps)
    if (!full_at && step.agents >= 18)
      full_at = step.at_s;
  REQUIRE(full_at);
  CHECK(*full_at <= 15 + 0.5 + 2 + 1); // the load is there, the spawn time, and a second
  CHECK(result.most_agents <= 30);     // some of them for the line that is there by then
  // Who knows the load has 18 from then until ten seconds after it, and one before and after.
  auto oracle = 55 + 17 * (20 + 0.5 + 10);
  CHECK(result.agent_seconds <= 1.3 * oracle);
  CHECK(result.steps.back().agents <= 2);
}
