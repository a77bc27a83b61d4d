// What a node that stays up is asked by people and programs: pages of tasks, why one waits, a
// retry, an agent more or less.
#include "tests/support/chain_fixture.hpp"

#include <catch2/catch.hpp>

using namespace rolecall;
using namespace rolecall::tests;

namespace {

constexpr millis retain_for{5'000};

coordinator_options small_shelf() {
  coordinator_options options;
  options.retain_tasks = 2;
  options.retain_for = retain_for;
  options.unix_offset = millis{1'000'000};
  options.first_event = 500;
  options.retry.max_attempts = 2;
  return options;
}

struct operating_fixture : chain_fixture {
  operating_fixture() : chain_fixture{{}, small_shelf()} {}

  task_detail describe(const std::string& id) {
    auto all =
        ask<std::vector<task_detail>>(coord, atom::describe_v, std::vector<task_id>{task_id{id}});
    return all.empty() ? task_detail{} : all.front();
  }
  task_page list(const task_query& query) { return ask<task_page>(coord, atom::list_v, query); }
  wait_explanation why(const std::string& id) {
    return ask<wait_explanation>(rt, atom::explain_v, task_id{id});
  }
};

std::string ids(const task_page& page) {
  std::string result;
  for (const auto& task : page.tasks)
    result += task.id.str() + " ";
  return result;
}

} // namespace

TEST_CASE_METHOD(operating_fixture, "pages of tasks are stable while tasks come and go") {
  for (const auto* id : {"1", "2", "3", "4", "5"})
    submit({make_task(id, id == std::string{"3"} ? "other" : "reviewer")});
  task_query query;
  query.limit = 2;
  auto first = list(query);
  CHECK(ids(first) == "5 4 ");
  submit({make_task("6")});
  query.before = first.next;
  auto second = list(query);
  CHECK(ids(second) == "3 2 ");
  query.before = second.next;
  auto last = list(query);
  CHECK(ids(last) == "1 ");
  CHECK(last.next == 0);
  task_query rejected;
  rejected.states = bit_of(task_state::rejected);
  CHECK(ids(list(rejected)) == "3 ");
}

TEST_CASE_METHOD(operating_fixture, "lists are filtered by role, label and context") {
  auto labelled = make_task("a");
  labelled.labels = {{"tenant", "x"}, {"kind", "k"}};
  auto talk = make_task("b");
  talk.context_id = "talk";
  talk.labels = {{"tenant", "y"}};
  submit({labelled, talk, make_task("c")});
  task_query query;
  query.labels = {{"tenant", ""}};
  CHECK(ids(list(query)) == "b a ");
  query.labels = {{"tenant", "x"}, {"kind", "k"}};
  CHECK(ids(list(query)) == "a ");
  task_query by_context;
  by_context.context_id = "talk";
  CHECK(ids(list(by_context)) == "b ");
  task_query by_role;
  by_role.role = role_name{"nobody"};
  CHECK(list(by_role).tasks.empty());
}

TEST_CASE_METHOD(operating_fixture, "tasks that are over are forgotten, the oldest first") {
  for (const auto* id : {"1", "2", "3"}) {
    submit({make_task(id)});
    execute();
  }
  CHECK(task("1").id.empty());
  CHECK(last_error == caf::make_error(ec::unknown_task));
  CHECK(ids(list({})) == "3 2 ");
  submit({make_task("1")}); // its id is free again
  CHECK(task("1").state == task_state::working);
}

TEST_CASE_METHOD(operating_fixture, "a task is forgotten some time after its end") {
  submit({make_task("1")});
  execute();
  advance(retain_for - millis{20});
  CHECK(task("1").state == task_state::completed);
  advance(millis{40});
  CHECK(task("1").id.empty());
}

TEST_CASE_METHOD(operating_fixture,
                 "an outcome that comes for a task that is forgotten changes nothing") {
  submit({make_task("gone")});
  ask<task_record>(coord, atom::cancel_v, task_id{"gone"});
  for (const auto* id : {"1", "2"}) {
    submit({make_task(id)});
    ask<task_record>(coord, atom::cancel_v, task_id{id});
  }
  while (execute())
    continue;
  CHECK(list({}).tasks.size() == 2);
}

TEST_CASE_METHOD(operating_fixture,
                 "events are numbered without gaps and tell which attempt ended") {
  self->send(coord, atom::subscribe_v, me<task_listener_actor>());
  submit({make_task("t")});
  execute("", 503, "{}");
  advance(millis{2'000});
  execute();
  auto events = take<task_event>();
  REQUIRE(events.size() == 5);
  for (std::size_t i = 0; i < events.size(); ++i)
    CHECK(events[i].number == 500 + i);
  CHECK(events[1].ended.empty());
  REQUIRE(events[2].ended.size() == 1);
  CHECK(events[2].ended[0].verdict == verdict::retryable);
  REQUIRE(events[4].ended.size() == 1);
  CHECK(events[4].ended[0].verdict == verdict::completed);
  CHECK(events[4].at >= unix_time{1'000'000});
  CHECK(events[4].task->finished_at == events[4].at);
}

TEST_CASE_METHOD(operating_fixture,
                 "a task knows its attempts and among whom its agent was chosen") {
  submit({make_task("t")});
  execute("", 503, "{}");
  advance(millis{2'000});
  auto detail = describe("t");
  REQUIRE(detail.history.size() == 2);
  CHECK(detail.history[0].ended);
  CHECK(detail.history[0].error.kind == ec::http_status);
  CHECK_FALSE(detail.history[1].ended);
  REQUIRE_FALSE(detail.candidates->best.empty());
  CHECK(detail.candidates->best[0].chosen);
  CHECK(detail.candidates->best[0].agent == detail.record->agent);
  CHECK(detail.spec->input == json_text{"{}"});
}

TEST_CASE_METHOD(operating_fixture, "a failed task can be done again, linked to the old one") {
  submit({make_task("t")});
  ask<task_detail>(coord, atom::retry_v, task_id{"t"}, task_id{"u"});
  CHECK(last_error == caf::make_error(ec::task_not_retryable));
  execute("", 400, "{}");
  REQUIRE(task("t").state == task_state::failed);
  auto again = ask<task_detail>(coord, atom::retry_v, task_id{"t"}, task_id{"u"});
  CHECK(again.record->retry_of == task_id{"t"});
  CHECK(again.spec->input == json_text{"{}"});
  execute();
  CHECK(task("u").state == task_state::completed);
  CHECK(task("t").state == task_state::failed);
  ask<task_detail>(coord, atom::retry_v, task_id{"nobody"}, task_id{"v"});
  CHECK(last_error == caf::make_error(ec::unknown_task));
}

TEST_CASE_METHOD(operating_fixture, "the trace of whoever submits goes on to the agent") {
  auto traced = make_task("t");
  traced.traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  auto wrong = make_task("u");
  wrong.traceparent = "00-00000000000000000000000000000000-00f067aa0ba902b7-01";
  submit({traced, wrong});
  run();
  std::string seen;
  for (const auto& [name, value] : client->find("/execute")->request.headers)
    if (name == "traceparent")
      seen = value;
  CHECK(seen.substr(0, 36) == "00-4bf92f3577b34da6a3ce929d0e0e4736-");
  CHECK(seen.substr(36, 16) != "00f067aa0ba902b7");
}

TEST_CASE_METHOD(operating_fixture,
                 "why a task waits is told, with the agents that are in question") {
  service.capacity = 1;
  submit({make_task("runs"), make_task("waits")});
  run();
  auto full = why("waits");
  CHECK(full.reason == wait_reason::at_limit);
  CHECK(full.position == 1);
  CHECK(full.waiting == 1);
  REQUIRE(full.candidates.best.size() == 1);
  CHECK_FALSE(full.candidates.best[0].eligible);
  CHECK(full.candidates.best[0].note == "is at its limit");
  why("runs");
  CHECK(last_error == caf::make_error(ec::unknown_task));
  execute("", 429, "{}", {{"Retry-After", "5"}});
  auto parked = why("waits");
  CHECK(parked.reason == wait_reason::parked);
  CHECK(parked.until == millis{5'000});
}

TEST_CASE_METHOD(operating_fixture, "the router tells the load of agents and of roles") {
  submit({make_task("a"), make_task("b")});
  execute("", 503, "{}");
  auto status = ask<routing_status>(rt, atom::status_v);
  REQUIRE(status.agents.size() == 2);
  std::uint32_t in_flight = 0;
  std::uint64_t failed = 0;
  for (const auto& load : status.agents) {
    in_flight += load.in_flight;
    failed += load.failed;
  }
  CHECK(in_flight == 1);
  CHECK(failed == 1);
  REQUIRE(status.roles.size() == 1);
  CHECK(status.roles[0].running == 1);
}

TEST_CASE_METHOD(operating_fixture, "an agent is spawned on request, within the role's maximum") {
  auto agent = ask<agent_record>(mgr, atom::spawn_v, role_name{"reviewer"});
  CHECK(service.agents.contains(agent.key.id.str()));
  CHECK(agents().size() == 1);
  ask<agent_record>(mgr, atom::spawn_v, role_name{"nobody"});
  CHECK(last_error == caf::make_error(ec::unknown_role));
  service.spawn_answers.push_back({429, {{"Retry-After", "1"}}, "{}"});
  ask<agent_record>(mgr, atom::spawn_v, role_name{"reviewer"});
  CHECK(last_error == caf::make_error(ec::spawn_refused));
  for (int i = 0; i < 10; ++i)
    ask<agent_record>(mgr, atom::spawn_v, role_name{"reviewer"});
  CHECK(last_error == caf::make_error(ec::at_maximum));
  CHECK(service.agents.size() == 8);
}

TEST_CASE_METHOD(operating_fixture,
                 "an agent is drained on request: it ends what it has, and goes for good") {
  submit({make_task("t")});
  auto key = agents().front().key;
  auto record = ask<agent_record>(mgr, atom::drain_v, key);
  CHECK(record.state == agent_state::draining);
  submit({make_task("u")}); // there is more to do, and still it is not taken back
  advance(millis{500});
  CHECK(service.agents.contains(key.id.str()));
  REQUIRE(execute(key.id.str()));
  CHECK(task("t").state == task_state::completed);
  CHECK_FALSE(service.agents.contains(key.id.str()));
  ask<agent_record>(mgr, atom::drain_v, key);
  CHECK(last_error == caf::make_error(ec::unknown_agent));
}
