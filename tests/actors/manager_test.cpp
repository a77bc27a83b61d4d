#include "tests/support/chain_fixture.hpp"

#include <catch2/catch.hpp>

using namespace rolecall;
using namespace rolecall::tests;

namespace {

fleet_options small_fleet() {
  fleet_options options;
  options.defaults.max_agents = 3;
  options.defaults.idle_timeout = millis{1'000};
  options.patience = millis{2'000};
  return options;
}

struct manager_fixture : chain_fixture {
  manager_fixture() : chain_fixture{small_fleet()} {}

  void submit_many(int count) {
    std::vector<task_spec> tasks;
    tasks.reserve(static_cast<std::size_t>(count));
    for (int i = 0; i < count; ++i)
      tasks.push_back(make_task("t" + std::to_string(i)));
    submit(std::move(tasks));
  }
};

} // namespace

TEST_CASE_METHOD(manager_fixture, "a role grows to its maximum while tasks wait") {
  submit_many(10);
  CHECK(service.agents.size() == 3);
  CHECK(executing() == 3);
  CHECK(fleet().spawned == 3);
}

TEST_CASE_METHOD(manager_fixture, "a role shrinks to its minimum after the idle time") {
  submit_many(3);
  while (execute())
    continue;
  advance(millis{900});
  CHECK(service.agents.size() == 3);
  advance(millis{400}); // the load is looked at each tick
  CHECK(service.agents.empty());
  CHECK(agents().empty());
  CHECK(fleet().retired == 3);
}

TEST_CASE_METHOD(manager_fixture, "an agent that works is never retired") {
  submit_many(2);
  REQUIRE(execute());
  advance(millis{5'000});
  CHECK(service.agents.size() == 1);
  REQUIRE(execute());
  CHECK(task("t1").state == task_state::completed);
}

TEST_CASE("a role has its minimum from the start, and keeps it") {
  auto options = small_fleet();
  options.roles[role_name{"reviewer"}].min_agents = 2;
  options.roles[role_name{"reviewer"}].idle_timeout = millis{500};
  chain_fixture f{options};
  CHECK(f.service.agents.size() == 2);
  f.advance(millis{3'000});
  CHECK(f.service.agents.size() == 2);
  f.service.agents.erase(f.service.agents.begin()); // one dies
  f.advance(millis{3'000});
  CHECK(f.service.agents.size() == 2);
}

TEST_CASE_METHOD(manager_fixture, "a task that needs a skill gets an agent that has it spawned") {
  service.agents["unskilled"] = "reviewer";
  advance(millis{2'100});
  service.skills = {"sql"};
  advance(millis{31'000}); // the roles are asked for again
  auto spec = make_task("t");
  spec.skills = {"sql"};
  submit({spec});
  CHECK(service.spawns == 1);
  REQUIRE(execute("reviewer-1"));
  CHECK(task("t").state == task_state::completed);
}

TEST_CASE_METHOD(manager_fixture, "a failed spawn is not counted as one") {
  auto answer = GENERATE(net::http_response{429, {{"Retry-After", "1"}}, "{}"},
                         net::http_response{503, {}, ""}, net::http_response{500, {}, "oops"},
                         net::http_response{201, {}, "no JSON"},
                         net::http_response{201, {}, R"({"role":"reviewer"})"},
                         net::http_response{201, {}, R"({"agent_id":"x","role":"another"})"},
                         net::http_response{200, {}, R"({"agent_id":"x","role":"reviewer"})"});
  service.spawn_answers = {answer};
  submit_many(1);
  CHECK(fleet().spawned == 0);
  CHECK(fleet().spawns_failed == 1);
  CHECK(agents().empty());
  CHECK(executing() == 0);
  advance(millis{1'500}); // after the backoff it is tried again
  CHECK(fleet().spawned == 1);
  REQUIRE(execute());
  CHECK(task("t0").state == task_state::completed);
}

TEST_CASE_METHOD(manager_fixture, "spawns that fail for the whole patience end the waiting") {
  service.capacity = 0;
  submit_many(2);
  advance(millis{1'900});
  CHECK(task("t0").state == task_state::submitted);
  advance(millis{1'500});
  auto failed = task("t0");
  CHECK(failed.state == task_state::failed);
  CHECK(failed.error.kind == ec::spawn_refused);
  CHECK(failed.error.message.find("429") != std::string::npos);
  CHECK(failed.error.message.find("full") != std::string::npos);
  CHECK(task("t1").state == task_state::failed);
}

TEST_CASE_METHOD(manager_fixture, "a full service does not fail tasks as long as one agent works") {
  service.capacity = 1;
  submit_many(3);
  advance(millis{5'000});
  CHECK(executing() == 1);
  for (int i = 0; i < 3; ++i) {
    REQUIRE(execute());
    advance(millis{10});
  }
  CHECK(task("t2").state == task_state::completed);
}

TEST_CASE_METHOD(manager_fixture, "a role that the service does not know after all fails at once") {
  service.spawn_answers = {
      {404, {}, R"({"error":{"code":"unknown_role","message":"never heard of it"}})"}};
  submit_many(1);
  CHECK(task("t0").state == task_state::rejected);
  CHECK(task("t0").error.kind == ec::unknown_role);
  CHECK(task("t0").error.message.find("never heard of it") != std::string::npos);
}

TEST_CASE("a service that never answers ends the waiting after the patience") {
  auto options = small_fleet();
  chain_fixture f{options};
  f.service.reachable = false;
  f.advance(millis{4'000});
  f.submit({make_task("t")});
  f.advance(millis{1'500});
  CHECK(f.task("t").state == task_state::submitted);
  f.advance(millis{1'500});
  CHECK(f.task("t").state == task_state::failed);
  CHECK(f.task("t").error.kind == ec::service_unreachable);
  CHECK(f.task("t").error.message.find("Connection refused") != std::string::npos);
}

TEST_CASE_METHOD(manager_fixture, "a service that dies and comes back costs no task") {
  submit_many(1);
  REQUIRE(executing() == 1);
  service.reachable = false;
  service.agents.clear();
  REQUIRE(lose(net::http_errc::connection_lost));
  advance(millis{1'000});
  CHECK(executing() == 0);
  service.reachable = true;
  advance(millis{3'000});
  REQUIRE(executing() == 1);
  REQUIRE(execute());
  CHECK(task("t0").state == task_state::completed);
  CHECK(task("t0").attempts == 2);
}

TEST_CASE_METHOD(manager_fixture, "an agent that its service no longer lists leaves the registry") {
  submit_many(1);
  REQUIRE(execute());
  service.agents.clear();
  advance(millis{2'100});
  CHECK(agents().empty());
}

TEST_CASE("an agent that reports a nonsense limit is left out, and costs the others nothing") {
  auto options = small_fleet();
  options.defaults.idle_timeout = millis{60'000};
  chain_fixture f{options};
  f.service.agents = {{"good", "reviewer"}, {"odd", "reviewer"}};
  f.service.nonsense["odd"] = "-7";
  f.advance(millis{2'100});
  REQUIRE(f.agents().size() == 1);
  CHECK(f.agents()[0].key.id == agent_id{"good"});
  auto service = f.fleet().services.at(0);
  CHECK(service.reachable);
  CHECK_THAT(service.problem,
             Catch::Contains("GET /agents of http://service: 1 of 2 entries left out") &&
                 Catch::Contains("/agents/1/max_concurrency"));
  f.submit({make_task("t")});
  CHECK(f.execute("good"));
  f.service.nonsense.clear();
  f.advance(millis{2'000});
  CHECK(f.fleet().services.at(0).problem.empty());
  CHECK(f.agents().size() == 2);
}

TEST_CASE_METHOD(manager_fixture,
                 "404 on an execution: the agent is gone, another one is spawned") {
  submit_many(1);
  REQUIRE(executing() == 1);
  service.agents.clear();
  REQUIRE(execute("", 404, R"({"error":{"code":"unknown_agent","message":"gone"}})"));
  CHECK(agents().empty()); // its service was asked at once
  advance(millis{500});
  CHECK(service.spawns == 2);
  REQUIRE(execute());
  CHECK(task("t0").state == task_state::completed);
}

TEST_CASE_METHOD(manager_fixture, "a spawn answered after its agent was listed makes one agent") {
  client->script = [this](const net::http_request& request) -> std::optional<net::http_result> {
    if (request.method == "POST" && request.url == "http://service/agents") {
      service(request); // spawned, but the answer is on its way for long
      return std::nullopt;
    }
    return service(request);
  };
  submit_many(1);
  advance(millis{2'500}); // a check finds it
  CHECK(agents().size() == 1);
  REQUIRE(client->answer("POST http://service/agents", 201,
                         R"({"agent_id":"reviewer-1","role":"reviewer"})"));
  run();
  CHECK(agents().size() == 1);
  CHECK(fleet().spawned == 1);
}

TEST_CASE_METHOD(manager_fixture,
                 "at the end, what was spawned here is retired, the rest is left") {
  service.agents["from-before"] = "reviewer";
  advance(millis{2'100});
  submit_many(3);
  while (execute())
    continue;
  CHECK(service.agents.size() == 3);
  CHECK(ask<std::uint64_t>(mgr, atom::retire_v, millis{1'000}) == 2);
  CHECK(service.agents.size() == 1);
  CHECK(service.agents.contains("from-before"));
}

TEST_CASE_METHOD(manager_fixture, "a role that is removed while tasks wait refuses them") {
  service.capacity = 0;
  submit_many(2);
  service.roles.clear();
  service.roles["another"] = 1;
  advance(millis{31'000});
  CHECK(is_terminal(task("t0").state));
  CHECK(task("t1").error.message.find("reviewer") != std::string::npos);
}

TEST_CASE("agents that share the work evenly are still too many once it has become less") {
  auto options = small_fleet();
  chain_fixture f{options};
  std::vector<task_spec> tasks;
  for (int i = 0; i < 3; ++i)
    tasks.push_back(make_task("t" + std::to_string(i)));
  f.submit(tasks);
  while (f.execute())
    continue;
  for (int i = 0; i < 30; ++i) { // one at a time, on changing agents
    f.submit({make_task("one-" + std::to_string(i))});
    f.advance(millis{90});
    REQUIRE(f.execute());
    f.advance(millis{10});
  }
  CHECK(f.service.agents.size() == 1);
  CHECK(f.service.spawns == 3);
}
