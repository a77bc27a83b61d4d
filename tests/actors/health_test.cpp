// Health checks among the actors of a node: what the router, the manager and the agents see of
// them.
#include "actors/health/checker_actor.hpp"
#include "tests/support/chain_fixture.hpp"

#include <catch2/catch.hpp>

using namespace rolecall;
using namespace rolecall::tests;
using namespace std::chrono_literals;

namespace {

const auto good = R"({"status":"completed","output":"pong"})";
const auto broken = R"({"error":{"code":"no_model","message":"the model is gone"}})";

fleet_options fleet_of(std::uint32_t min, std::uint32_t max) {
  fleet_options options;
  auto& policy = options.roles[role_name{"reviewer"}];
  policy.min_agents = min;
  policy.max_agents = max;
  return options;
}

health_options checks(millis timeout = 500ms) {
  health_options options;
  options.roles[role_name{"reviewer"}] = {json_text{R"("ping")"}, 1s, timeout, 2, 2};
  return options;
}

/// A node with one agent, or more, whose checks and tasks wait until the test answers them.
struct health_fixture : chain_fixture {
  explicit health_fixture(const fleet_options& fleet = fleet_of(1, 1))
      : chain_fixture{fleet},
        check{keep(system.spawn(checker, checker_peers{reg, rt, mgr, pl}, checks()))} {
    advance(200ms); // the fleet is there
  }
  ~health_fixture() { end_all(); }

  static bool is_check(const scripted_client::call& call) {
    return net::find_header(call.request.headers, "Rolecall-Health-Check").has_value();
  }
  /// The oldest execution that waits on an agent (or on any) and is a check, or a task.
  scripted_client::call* find(bool wanted, const std::string& agent = "") {
    run();
    for (auto& call : client->calls)
      if (call.line().find(agent + "/execute") != std::string::npos && is_check(call) == wanted)
        return &call;
    return nullptr;
  }
  /// Lets time pass until a check has begun.
  scripted_client::call* next_check(const std::string& agent = "") {
    for (int i = 0; i < 400 && !find(true, agent); ++i)
      advance(10ms);
    return find(true, agent);
  }
  void answer(scripted_client::call* call, unsigned status, const std::string& body,
              net::headers headers = {}) {
    REQUIRE(call);
    auto done = std::move(call->done);
    std::erase_if(client->calls, [id = call->id](const auto& each) { return each.id == id; });
    done(net::http_response{status, std::move(headers), body});
    run();
  }
  void fail_checks(int count, const std::string& agent = "") {
    for (; count > 0; --count)
      answer(next_check(agent), 500, broken);
  }
  void pass_checks(int count, const std::string& agent = "") {
    for (; count > 0; --count)
      answer(next_check(agent), 200, good);
  }
  routing_status routing() { return ask<routing_status>(rt, atom::status_v); }
  agent_load agent(std::size_t index = 0) { return routing().agents.at(index); }
  wait_explanation why(const std::string& task) {
    return ask<wait_explanation>(rt, atom::explain_v, task_id{task});
  }
  role_status role() { return fleet().role_states.at(0); }

  checker_actor check;
};

struct two_agents : health_fixture {
  two_agents() : health_fixture{fleet_of(1, 2)} {}
};

} // namespace

TEST_CASE_METHOD(health_fixture, "a check is a call to the agent, and says that it is one") {
  auto* call = next_check();
  REQUIRE(call);
  CHECK(call->line() == "POST http://service/agents/reviewer-1/execute");
  auto body = nlohmann::json::parse(call->body());
  CHECK(body["input"] == "ping");
  CHECK(body["timeout_ms"] == 500);
  CHECK(body["task_id"].get<std::string>().starts_with("health-check-"));
  answer(call, 200, good);
  CHECK(agent().checks_passed == 1);
  CHECK(agent().check_error.code.empty());
  CHECK(agent().next_check > 800ms);
  REQUIRE(routing().checks.size() == 1);
  CHECK(routing().checks[0] == check_counts{role_name{"reviewer"}, 1, 0});
}

TEST_CASE("an agent gets tasks before its first check") {
  health_fixture f{fleet_of(0, 1)};
  f.submit({make_task("t")});
  CHECK(f.find(false));
  CHECK_FALSE(f.find(true));
}

TEST_CASE_METHOD(health_fixture, "an unhealthy agent gets nothing until its checks pass") {
  fail_checks(2);
  CHECK(agent().agent.state == agent_state::unhealthy);
  CHECK(agents().at(0).state == agent_state::unhealthy);
  CHECK(agents().at(0).problem.code == "http_status");
  submit({make_task("t")});
  CHECK_FALSE(find(false));
  auto reason = why("t");
  CHECK(reason.reason == wait_reason::unhealthy);
  CHECK(reason.until > 800ms);
  CHECK(reason.until <= 1'100ms);
  auto note = reason.candidates.best.at(0).note;
  CHECK(note.find("the model is gone") != std::string::npos);
  pass_checks(1);
  CHECK_FALSE(find(false));
  pass_checks(1);
  CHECK(agents().at(0).state == agent_state::ready);
  CHECK(agents().at(0).problem.code.empty());
  answer(find(false), 200, good);
  CHECK(task("t").state == task_state::completed);
}

TEST_CASE_METHOD(health_fixture, "an agent that hangs in its checks is unhealthy") {
  for (int i = 0; i < 2; ++i) {
    REQUIRE(next_check());
    lose(net::http_errc::timeout);
  }
  CHECK(agent().agent.state == agent_state::unhealthy);
  CHECK(agent().check_error.code == "timeout");
}

TEST_CASE_METHOD(health_fixture, "a task that waits for the end of a check that fails is not given "
                                 "to the agent") {
  fail_checks(1);
  auto* call = next_check();
  submit({make_task("t")});
  CHECK_FALSE(find(false)); // the agent takes one at a time
  CHECK(why("t").reason == wait_reason::at_limit);
  CHECK(why("t").candidates.best.at(0).note.find("health check") != std::string::npos);
  answer(call, 500, broken);
  CHECK_FALSE(find(false));
  CHECK(why("t").reason == wait_reason::unhealthy);
}

TEST_CASE_METHOD(health_fixture, "an agent that is at its limit is not checked") {
  pass_checks(1);
  submit({make_task("t")});
  REQUIRE(find(false));
  advance(3s);
  CHECK_FALSE(find(true));
  answer(find(false), 200, good);
  CHECK(next_check());
}

TEST_CASE_METHOD(health_fixture, "a check takes a slot, and gives it back") {
  auto* call = next_check();
  submit({make_task("t")});
  CHECK_FALSE(find(false));
  answer(call, 200, good);
  CHECK(find(false));
}

TEST_CASE_METHOD(health_fixture, "an agent that says busy to a check is parked, not unhealthy") {
  for (int i = 0; i < 3; ++i) {
    answer(next_check(), 429, broken, {{"Retry-After", "1"}});
    CHECK(agent().parked == 1s);
  }
  CHECK(agent().agent.state == agent_state::ready);
  CHECK(agent().checks_failed == 0);
  submit({make_task("t")});
  CHECK(why("t").reason == wait_reason::parked);
}

TEST_CASE_METHOD(health_fixture, "checks are not what an agent is idle for, nor a task of its") {
  auto idle = agent().idle;
  pass_checks(4);
  CHECK(agent().idle >= idle + 2s);
  CHECK(agent().succeeded == 0);
  CHECK(agent().in_flight == 0);
  CHECK(routing().roles.at(0).running == 0);
}

TEST_CASE_METHOD(two_agents, "an unhealthy agent is not counted, and another comes in its place") {
  fail_checks(2, "reviewer-1");
  CHECK(service.agents.size() == 2);
  CHECK(role().ready == 1);
  CHECK(role().unhealthy == 1);
  submit({make_task("t")});
  CHECK(find(false, "reviewer-2"));
}

TEST_CASE_METHOD(two_agents, "what runs on an agent that becomes unhealthy runs on") {
  service.roles["reviewer"] = 2;
  advance(3s); // the list says so
  submit({make_task("t")});
  REQUIRE(find(false, "reviewer-1"));
  fail_checks(2, "reviewer-1");
  CHECK(agent().agent.state == agent_state::unhealthy);
  answer(find(false, "reviewer-1"), 200, good);
  CHECK(task("t").state == task_state::completed);
}

TEST_CASE("an agent that stays unhealthy is drained and ended once its role can have another") {
  auto options = fleet_of(1, 1);
  options.roles[role_name{"reviewer"}].retire_unhealthy_after = 5s;
  health_fixture f{options};
  f.fail_checks(2);
  CHECK(f.service.agents.contains("reviewer-1"));
  CHECK(f.role().trouble.message.find("the model is gone") != std::string::npos);
  for (int i = 0; i < 6; ++i) {
    if (f.find(true, "reviewer-1"))
      f.fail_checks(1, "reviewer-1");
    f.advance(1s);
  }
  CHECK_FALSE(f.service.agents.contains("reviewer-1"));
  CHECK(f.service.agents.contains("reviewer-2"));
  CHECK(f.agents().at(0).state == agent_state::ready);
}

TEST_CASE("an agent that stays unhealthy is kept while its role could not have another") {
  auto options = fleet_of(1, 1);
  options.roles[role_name{"reviewer"}].retire_unhealthy_after = 1s;
  options.roles_interval = 100ms;
  options.check_interval = 100ms;
  health_fixture f{options};
  f.service.roles.clear(); // nothing can be spawned any more
  f.advance(500ms);
  f.fail_checks(2);
  f.advance(3s);
  CHECK(f.service.agents.contains("reviewer-1"));
  CHECK(f.agents().at(0).state == agent_state::unhealthy);
}

TEST_CASE("tasks wait for unhealthy agents, even if no other can be spawned") {
  auto options = fleet_of(1, 4);
  options.patience = 1s;
  health_fixture f{options};
  f.service.capacity = 1;
  f.fail_checks(2);
  f.submit({make_task("t")});
  f.advance(5s);
  CHECK(f.task("t").state == task_state::submitted);
  CHECK(f.why("t").reason == wait_reason::unhealthy);
}

TEST_CASE("a check that passes ends an ejection, and a task has to show the rest") {
  router_options options;
  options.ejection.max_share = 1;
  routing_table table{options};
  routing_table::time_point at{1h};
  auto record = make_agent("a", "reviewer", 4);
  table.apply({1, agent_change::up, record}, at);
  for (int i = 0; i < 5; ++i) {
    placement_request request;
    request.task = task_id{"t" + std::to_string(i)};
    request.role = record.role;
    request.age = static_cast<std::uint64_t>(i);
    table.place(request);
    REQUIRE(table.dispatch(at).size() == 1);
    attempt_outcome outcome;
    outcome.task = request.task;
    outcome.agent = record.key;
    outcome.verdict = verdict::retryable;
    outcome.error = {ec::http_status, "broken"};
    table.finished(outcome, at);
  }
  REQUIRE(table.status(at).agents.at(0).ejected == 30s);
  REQUIRE(table.begin_check(record.key, at));
  health_report report;
  report.agent = record.key;
  report.role = record.role;
  report.result = check_result::passed;
  table.checked(report, at);
  CHECK(table.status(at).agents.at(0).ejected == 0s);
  CHECK(table.status(at).agents.at(0).limit == 1);
}

TEST_CASE_METHOD(health_fixture, "a check that finds no agent has its service asked") {
  REQUIRE(next_check());
  service.agents.clear();
  CHECK(lose(net::http_errc::connect_failed));
  CHECK(agents().empty());
  advance(1s);
  CHECK(service.agents.contains("reviewer-2")); // the lost one was noticed, and replaced
  CHECK(agents().size() == 1);
}

TEST_CASE_METHOD(health_fixture, "an agent that is to go is not held up by its check") {
  auto* call = next_check();
  auto id = call->id;
  ask<agent_record>(mgr, atom::drain_v, agents().at(0).key);
  CHECK(client->canceled == std::vector{id});
  CHECK_FALSE(service.agents.contains("reviewer-1"));
}

TEST_CASE_METHOD(two_agents, "an agent that is taken back from draining can be checked again") {
  REQUIRE(next_check("reviewer-1"));
  auto record = agents().at(0);
  for (auto state : {agent_state::draining, agent_state::ready}) {
    record.state = state;
    record.revision += 1'000;
    ask<std::uint64_t>(reg, atom::put_v, record);
  }
  pass_checks(1, "reviewer-1");
  CHECK(agent().checks_passed == 1);
}
