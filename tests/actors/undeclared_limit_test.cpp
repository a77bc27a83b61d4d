// Agents whose service does not say how many tasks they take at a time: from its answers to what
// the pool lets through, and how many agents such a role gets.
#include "actors/manager/cautious_growth.hpp"
#include "tests/support/chain_fixture.hpp"

#include <catch2/catch.hpp>

using namespace rolecall;
using namespace rolecall::tests;
using namespace std::chrono_literals;

namespace {

fleet_options one_agent() {
  fleet_options options;
  options.defaults.max_agents = 1;
  return options;
}

struct undeclared_fixture : chain_fixture {
  undeclared_fixture() : chain_fixture{one_agent()} {
    service.roles = {{"reviewer", 0}};
    advance(millis{40'000}); // until the roles are asked for again
  }

  void submit_many(int count) {
    std::vector<task_spec> tasks;
    for (; count > 0; --count)
      tasks.push_back(make_task("t" + std::to_string(++submitted)));
    submit(std::move(tasks));
  }
  /// Completes all that is under way, so many times, each time after as long.
  void work(int rounds) {
    for (; rounds > 0; --rounds) {
      advance(millis{10});
      for (auto left = executing(); left > 0; --left)
        REQUIRE(execute());
    }
  }

  int submitted{0};
};

net::http_response spawn_answer(const std::string& limit) {
  return {201, {}, R"({"agent_id":"a","role":"reviewer")" + limit + "}"};
}

service_answer spawned_with(const std::string& limit, question_options options = {}) {
  service_answer question;
  question.question = service_question::spawn;
  question.role = role_name{"reviewer"};
  return to_answer({service_name{"s"}, "http://s"}, question, options, spawn_answer(limit));
}

} // namespace

TEST_CASE("an agent for which no limit is named may be tried with the configured most") {
  auto silent = spawned_with("");
  REQUIRE(silent.ok);
  CHECK_FALSE(silent.agents[0].limit_declared);
  CHECK(silent.agents[0].max_concurrency == 64);
  question_options options;
  options.max_adaptive_limit = 5;
  CHECK(spawned_with("", options).agents[0].max_concurrency == 5);
  auto one = spawned_with(R"(,"max_concurrency":1)");
  REQUIRE(one.ok);
  CHECK(one.agents[0].limit_declared);
  CHECK(one.agents[0].max_concurrency == 1);
}

TEST_CASE("a limit that is none is no limit that is not named") {
  for (const auto* wrong : {"0", "-1", "null", "\"8\"", "1.5", "1e9", "{}"}) {
    INFO(wrong);
    auto answer = spawned_with(std::string{R"(,"max_concurrency":)"} + wrong);
    CHECK_FALSE(answer.ok);
    CHECK(answer.error.message.find("/max_concurrency") != std::string::npos);
  }
}

TEST_CASE_METHOD(undeclared_fixture, "an agent that takes more without getting slower gets more") {
  submit_many(200);
  CHECK(agents().at(0).limit_declared == false);
  CHECK(executing() == 1);
  work(15);
  CHECK(executing() > 4);
  while (executing() > 0)
    work(1);
  CHECK(task("t200").state == task_state::completed);
}

TEST_CASE_METHOD(undeclared_fixture,
                 "an agent that says that it is busy gets no more than it takes") {
  submit_many(40);
  for (int i = 0; i < 20 && executing() == 1; ++i)
    work(1);
  REQUIRE(executing() > 1);
  auto one = executing();
  REQUIRE(execute("", 429, R"({"error":{"code":"busy","message":"one at a time"}})"));
  advance(millis{5'000}); // it was parked
  CHECK(executing() < one);
  CHECK(agents().size() == 1);
}

TEST_CASE("a service that names no limit gets a few spawns first, whatever waits") {
  cautious_growth growth;
  auto now = cautious_growth::time_point{} + 1h;
  auto agents = [&](std::uint32_t waiting, std::uint32_t running, std::uint32_t ready) {
    role_demand demand{role_name{"r"}, waiting, running, 0};
    return std::ceil((waiting + running) / growth.slots(demand, ready, now) - 1e-9);
  };
  CHECK(agents(3, 0, 0) == 3);
  CHECK(agents(100, 0, 0) == 8);
  now += 1'900ms;
  CHECK(agents(92, 8, 8) == 8);
  now += 200ms;
  CHECK(agents(92, 8, 8) == 16);
  now += 2s;
  CHECK(agents(84, 16, 16) == 32);
  now += 24h; // a clock that jumps
  CHECK(agents(100, 0, 32) == 100);
  now -= 24h * 30;
  CHECK(agents(100, 0, 32) > 0);
}

TEST_CASE("who waits for busy agents of which nobody knows what they take gets another at once") {
  cautious_growth growth;
  auto now = cautious_growth::time_point{} + 1h;
  CHECK(growth.slots({role_name{"r"}, 0, 20, 0}, 20, now) == 1);
  CHECK(growth.slots({role_name{"r"}, 1, 20, 0}, 20, now) == Approx(1));
  CHECK(growth.slots({role_name{"r"}, 0, 60, 0}, 20, now) == Approx(3));    // they have three each
  CHECK(growth.slots({role_name{"r"}, 0, 20, 0, 4}, 20, now) == Approx(4)); // and may have four
}
