// Tasks that depend on each other, deadlines, and cancels that follow dependencies.
#include "actors/coordinator/dependencies.hpp"
#include "tests/support/chain_fixture.hpp"

#include <catch2/catch.hpp>

using namespace rolecall;
using namespace rolecall::tests;

namespace {

task_spec needing(const std::string& id, const std::vector<std::string>& needed,
                  dependency_policy policy = dependency_policy::fail) {
  auto task = make_task(id);
  for (const auto& each : needed)
    task.depends_on.emplace_back(each);
  task.on_dependency_failure = policy;
  return task;
}

std::string cycle_of(const std::vector<task_spec>& tasks) {
  std::vector<const task_spec*> pointers;
  for (const auto& task : tasks)
    pointers.push_back(&task);
  std::string text;
  for (const auto& id : find_cycle(pointers).value_or(std::vector<task_id>{}))
    text += id.str() + " ";
  return text;
}

struct dependencies_fixture : chain_fixture {
  std::string states(const std::vector<std::string>& ids) {
    std::string result;
    for (const auto& id : ids)
      result += to_string(task(id).state) + " ";
    return result;
  }
};

} // namespace

TEST_CASE("a circle of dependencies is found, however long the way to it") {
  CHECK(cycle_of({needing("a", {"b"}), needing("b", {"c"}), needing("c", {})}).empty());
  CHECK(cycle_of({needing("a", {"b"}), needing("b", {"c"}), needing("c", {"b"})}) == "b c ");
  std::vector<task_spec> chain;
  constexpr int length = 100'000;
  for (int i = 0; i < length; ++i)
    chain.push_back(needing(std::to_string(i), {std::to_string(i + 1)}));
  CHECK(cycle_of(chain).empty());
  chain.push_back(needing(std::to_string(length), {"0"}));
  CHECK_FALSE(cycle_of(chain).empty());
}

TEST_CASE_METHOD(dependencies_fixture,
                 "a task starts once all it depends on have completed, with their outputs") {
  submit({needing("c", {"a", "b"}), make_task("a"), make_task("b")});
  advance(millis{100}); // the agents come
  CHECK(states({"a", "b", "c"}) == "working working submitted ");
  execute("", 200, R"({"status":"completed","output":[1]})");
  CHECK(task("c").state == task_state::submitted);
  execute("", 200, R"({"status":"completed","output":2})");
  REQUIRE(executing() == 1);
  auto body = client->find("/execute")->body();
  CHECK(body.find(R"("a":[1])") != std::string::npos);
  CHECK(body.find(R"("b":2)") != std::string::npos);
  execute();
  CHECK(task("c").state == task_state::completed);
}

TEST_CASE_METHOD(dependencies_fixture, "if one fails, those that need it fail, with the chain") {
  submit({make_task("a"), needing("b", {"a"}), needing("c", {"b"})});
  execute("", 200, R"({"status":"failed","error":{"code":"boom","message":"no"}})");
  CHECK(states({"a", "b", "c"}) == "failed failed failed ");
  CHECK(task("c").error.kind == ec::dependency_failed);
  CHECK(task("c").error.message == R"(needs "b", which failed: needs "a", which failed: boom: no)");
}

TEST_CASE_METHOD(dependencies_fixture, "with \"run\" a task runs although one failed") {
  submit({make_task("a"), needing("b", {"a"}, dependency_policy::run)});
  execute("", 200, R"({"status":"failed","error":{"code":"boom","message":"no"}})");
  REQUIRE(executing() == 1);
  CHECK(client->find("/execute")->body().find(R"("dependencies":{})") != std::string::npos);
}

TEST_CASE_METHOD(dependencies_fixture, "a chain of failures of any length ends") {
  std::vector<task_spec> chain{make_task("0")};
  constexpr int length = 10'000;
  for (int i = 1; i < length; ++i)
    chain.push_back(needing(std::to_string(i), {std::to_string(i - 1)}));
  submit(chain);
  execute("", 200, R"({"status":"failed","error":{"code":"boom","message":"no"}})");
  auto last = task(std::to_string(length - 1));
  CHECK(last.state == task_state::failed);
  CHECK(last.error.message.size() < 1'100);
  CHECK(last.error.message.ends_with("boom: no"));
}

TEST_CASE_METHOD(dependencies_fixture, "what cannot be is refused before anything starts") {
  submit({needing("a", {"nobody"})});
  CHECK(last_error == caf::make_error(ec::unknown_dependency));
  submit({needing("a", {"b"}), needing("b", {"a"})});
  CHECK(last_error == caf::make_error(ec::dependency_cycle));
  CHECK(executing() == 0);
}

TEST_CASE_METHOD(dependencies_fixture, "tasks may depend on one that is over already") {
  submit({make_task("a")});
  execute();
  submit({needing("b", {"a"})});
  CHECK(executing() == 1);
}

TEST_CASE_METHOD(dependencies_fixture, "canceling a task cancels those that need it") {
  submit({make_task("a"), needing("b", {"a"}), needing("c", {"a"}, dependency_policy::run)});
  REQUIRE(executing() == 1);
  ask<task_record>(coord, atom::cancel_v, task_id{"a"});
  CHECK(states({"a", "b"}) == "canceled canceled ");
  CHECK(executing() == 1); // c
}

TEST_CASE_METHOD(dependencies_fixture, "a task is canceled in each of its states") {
  submit({make_task("runs"), needing("blocked", {"runs"})});
  REQUIRE(executing() == 1);
  submit({make_task("backs off")});
  execute("", 200, R"({"status":"completed","output":1})");
  std::vector<task_id> all{task_id{"runs"}, task_id{"blocked"}, task_id{"backs off"},
                           task_id{"nobody"}};
  CHECK(ask<cancel_count>(coord, atom::cancel_v, all).canceled == 2);
  CHECK(states({"runs", "blocked", "backs off"}) == "completed canceled canceled ");
  CHECK(ask<cancel_count>(coord, atom::cancel_v, all).canceled == 0);
}

TEST_CASE_METHOD(dependencies_fixture, "tasks are canceled by what a query says") {
  auto other = make_task("b");
  other.labels = {{"tenant", "x"}};
  submit({make_task("a"), other});
  task_query query;
  query.labels = {{"tenant", "x"}};
  CHECK(ask<cancel_count>(coord, atom::cancel_v, query).canceled == 1);
  CHECK(task("b").state == task_state::canceled);
  CHECK(ask<cancel_count>(coord, atom::cancel_v, task_query{}).canceled == 1);
}

TEST_CASE_METHOD(dependencies_fixture, "a deadline ends a task wherever it is") {
  auto waits = needing("waits", {"runs"});
  auto runs = make_task("runs");
  runs.deadline = waits.deadline = millis{500};
  submit({runs, waits});
  REQUIRE(executing() == 1);
  auto body = client->find("/execute")->body();
  CHECK(body.find(R"("deadline_ms":)") != std::string::npos);
  advance(millis{490});
  CHECK(task("runs").state == task_state::working);
  advance(millis{20});
  CHECK(states({"runs", "waits"}) == "failed failed ");
  CHECK(task("runs").error.kind == ec::deadline_exceeded);
  CHECK(client->canceled.size() == 1);
}

TEST_CASE_METHOD(dependencies_fixture, "a deadline that is too short is not the agent's fault") {
  auto fault = GENERATE(false, true);
  auto spec = make_task("t");
  (fault ? spec.timeout : spec.deadline) = millis{500};
  submit({spec});
  REQUIRE(executing() == 1);
  advance(millis{495});
  REQUIRE(lose(net::http_errc::timeout));
  auto seen = ask<routing_status>(rt, atom::status_v);
  REQUIRE(seen.agents.size() == 1);
  CHECK(seen.agents[0].failed == (fault ? 1 : 0));
}

TEST_CASE_METHOD(dependencies_fixture, "the same id with the same content is the same task") {
  submit({make_task("a")});
  CHECK(ask<submit_result>(coord, atom::submit_v, std::vector{make_task("a"), make_task("b")})
            .known == std::vector{task_id{"a"}});
  auto other = make_task("a");
  other.priority = 3;
  other.input = json_text{"[2]"};
  auto refused = self->request(coord, caf::infinite, atom::submit_v, std::vector{other});
  run();
  refused.receive([](const submit_result&) { FAIL("accepted"); },
                  [](caf::error& error) {
                    auto text = error.context().get_as<std::string>(0);
                    CHECK(text.find("/input: {} there, [2] here; /priority: 0 there, 3 here") !=
                          std::string::npos);
                  });
}

TEST_CASE_METHOD(dependencies_fixture, "a retry goes with the retry of what it depended on") {
  submit({make_task("a"), needing("b", {"a"})});
  execute("", 200, R"({"status":"failed","error":{"code":"boom","message":"no"}})");
  ask<task_detail>(coord, atom::retry_v, task_id{"a"}, task_id{"a2"});
  auto again = ask<task_detail>(coord, atom::retry_v, task_id{"b"}, task_id{"b2"});
  CHECK(again.spec->depends_on == std::vector{task_id{"a2"}});
  CHECK(task("a").retried_as == task_id{"a2"});
  execute();
  execute();
  CHECK(task("b2").state == task_state::completed);
}
