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
