// The simulator against what queueing theory says, and against what must always hold.
#include "tests/app/simulate/lab_fixture.hpp"

using namespace rolecall;
using namespace rolecall::lab;
using namespace rolecall::lab::tests;

namespace {

bool same_run(const run_result& a, const run_result& b) {
  auto same = a.tasks.size() == b.tasks.size() && a.attempts == b.attempts;
  for (std::size_t i = 0; same && i < a.tasks.size(); ++i)
    same = a.tasks[i].ended_s == b.tasks[i].ended_s && a.tasks[i].attempts == b.tasks[i].attempts;
  return same;
}

/// Agents that fail, flap, hang and are busy, tasks that time out.
scenario troubled() {
  auto what = plain_scenario(6);
  what.kinds[0].timeout_s = 5;
  what.kinds[0].retry.max_attempts = 2;
  what.agents[0].phases = {{10, 1, condition::fails, 0.01}, {60, 1}};
  what.agents[1].phases = {{20, 1, condition::hangs, 0}, {50, 1}};
  what.agents[2].phases = {{5, 1, condition::busy, 2}, {40, 0.5}};
  return with_tasks(what, 4, distribution::lognormal(1, 1), 400);
}

} // namespace

TEST_CASE("one server with exponential times keeps tasks as long as the theory of M/M/1 says") {
  auto what = with_tasks(plain_scenario(1), 0.8, distribution::exponential(1), 200'000);
  CHECK(judged(what).mean_s == Approx(1 / (1 - 0.8)).epsilon(0.08));
}

TEST_CASE("four servers with one line keep tasks as long as the theory of M/M/4 says") {
  auto what = with_tasks(plain_scenario(4), 3.2, distribution::exponential(1), 100'000);
  auto erlang_c = 0.5964; // the chance to wait, with 4 servers and 3.2 Erlang
  CHECK(judged(what).mean_s == Approx(1 + erlang_c / (4 - 3.2)).epsilon(0.05));
}

TEST_CASE("a shared core keeps tasks as long as the theory of M/G/1-PS says, whatever their size") {
  agent_model shared;
  shared.limit = 100'000;
  shared.cores = 1;
  for (auto work : {distribution::constant(1), distribution::lognormal(1, 1)}) {
    auto what = with_tasks(plain_scenario(1, shared), 0.5, work, 100'000);
    CHECK(judged(what).mean_s == Approx(1 / (1 - 0.5)).epsilon(0.05));
  }
}

TEST_CASE("samples have the mean that was asked for, and the same seed gives the same") {
  for (auto of : {distribution::constant(3), distribution::exponential(3),
                  distribution::lognormal(3, 1), distribution::pareto(3, 1.5)}) {
    chance random{7};
    double sum = 0;
    for (int i = 0; i < 400'000; ++i)
      sum += of.sample(random);
    CHECK(sum / 400'000 == Approx(3).epsilon(0.03));
  }
  CHECK(chance{5}.normal() == chance{5}.normal());
}

TEST_CASE("speed, phases and skills change how long a task takes") {
  agent_model half;
  half.speed = 0.5;
  half.skills = {{"c++", 0.5}};
  half.phases = {{10, 2}};
  auto what = plain_scenario(1, half);
  what.kinds.push_back(what.kinds[0]);
  what.kinds[1].skills = {"c++"};
  what.tasks = {task_at(0, 1), task_at(8, 2), task_at(20, 1)};
  what.tasks[2].kind = 1;
  auto result = run(what);
  CHECK(result.tasks[0].ended_s == Approx(2));
  CHECK(result.tasks[1].ended_s == Approx(11)); // half of it at 0.5, the rest at 1
  CHECK(result.tasks[2].ended_s == Approx(22)); // as if it were twice the work
}

TEST_CASE("an attempt that times out frees its agent, and is made again elsewhere") {
  auto what = plain_scenario(2);
  what.kinds[0].timeout_s = 3;
  what.agents[0].phases = {{0, 1, condition::hangs, 0}};
  what.tasks = {task_at(0, 1)};
  auto result = run(what);
  CHECK(result.timeouts + 1 == result.attempts);
  CHECK(result.tasks[0].completed);
  CHECK(result.tasks[0].ended_s < (result.timeouts == 0 ? 1.001 : 4.5));
}

TEST_CASE("every task ends once, whatever its agents do, and the same seed gives the same run") {
  auto what = troubled();
  auto result = run(what);
  double busy = 0;
  for (std::size_t i = 0; i < what.tasks.size(); ++i) {
    const auto& end = result.tasks[i];
    CHECK(end.ended_s >= what.tasks[i].arrival_s);
    CHECK(end.attempts >= 1);
    CHECK(end.attempts <= 2);
    CHECK((end.completed || end.attempts == 2));
    busy += end.completed ? what.tasks[i].work_s : 0;
  }
  CHECK(result.attempts >= what.tasks.size());
  CHECK(result.busy_agent_seconds <= result.agent_seconds);
  CHECK(result.busy_agent_seconds >= busy * 0.5);
  CHECK(same_run(result, run(what)));
  CHECK_FALSE(same_run(result, run(what, 2))); // the jitter of retries is another
}

TEST_CASE("a task waits for those that it needs, and fails with them") {
  auto what = plain_scenario(3);
  what.kinds[0].retry.max_attempts = 1;
  what.kinds.push_back(what.kinds[0]);
  what.kinds[1].timeout_s = 1; // too short for its work
  what.tasks = {task_at(0, 2), task_at(0, 1), task_at(0, 5), task_at(0, 1), task_at(0, 1)};
  what.tasks[1].needs = {0};
  what.tasks[2].kind = 1;
  what.tasks[3].needs = {2};
  what.tasks[4].needs = {2};
  what.tasks[4].run_after_failure = true;
  auto result = run(what);
  CHECK(result.tasks[1].ended_s == Approx(3));
  CHECK_FALSE(result.tasks[2].completed);
  CHECK_FALSE(result.tasks[3].completed);
  CHECK(result.tasks[3].attempts == 0);
  CHECK(result.tasks[4].completed);
}

TEST_CASE("a task ends at its deadline, whether it waits or runs, and its agent goes on") {
  auto what = plain_scenario(1);
  what.kinds.push_back(what.kinds[0]);
  what.kinds[1].deadline_s = 3;
  what.tasks = {task_at(0, 10), task_at(1, 1), task_at(12, 1)};
  what.tasks[0].kind = what.tasks[1].kind = 1;
  auto result = run(what);
  CHECK(result.tasks[0].ended_s == Approx(3));
  CHECK_FALSE(result.tasks[0].completed);
  CHECK(result.tasks[1].ended_s == Approx(4)); // began when the other was over, and just ended
  CHECK(result.tasks[2].ended_s == Approx(13));
  what.tasks[1].work_s = 2;
  CHECK_FALSE(run(what).tasks[1].completed);
}

TEST_CASE("what can never end is told") {
  auto what = plain_scenario(1);
  what.kinds[0].role = role_name{"nobody"};
  what.tasks = {task_at(0, 1)};
  CHECK_THROWS_WITH(run(what), Catch::Contains("cannot end"));
}

TEST_CASE("agents whose limit nobody declares are given about as much as they have cores for") {
  auto at_a_time = [](bool declared) { // tasks on an agent, in the mean
    agent_model like;
    like.limit = 64;
    like.limit_declared = declared;
    like.cores = 8;
    auto what = with_tasks(plain_scenario(4, like), 200, distribution::lognormal(1, 0.5), 20'000);
    auto result = run(what);
    double sum = 0;
    for (const auto& end : result.tasks)
      sum += end.ended_s - end.started_s;
    CHECK(result.busy_agent_seconds * 8 < 1.15 * 20'000); // they work as much as they can
    return sum / result.busy_agent_seconds;
  };
  CHECK(at_a_time(true) > 60);
  auto found = at_a_time(false);
  CHECK(found > 6.5);
  CHECK(found < 11);
}
