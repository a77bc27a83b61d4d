// The main job as messages: tasks in, agents spawned, the router told by the registry, results out.
#include "tests/support/chain_fixture.hpp"

#include <catch2/catch.hpp>

using namespace rolecall;
using namespace rolecall::tests;

TEST_CASE_METHOD(chain_fixture,
                 "a task for a role without agents waits, causes one spawn, and runs") {
  submit({make_task("t")});
  CHECK(service.spawns == 1);
  CHECK(executing() == 1);
  CHECK(task("t").state == task_state::working);
  REQUIRE(execute("", 200, R"({"status":"completed","output":{"answer":42}})"));
  auto done = task("t");
  CHECK(done.state == task_state::completed);
  CHECK(done.output == json_text{R"({"answer":42})"});
  CHECK(done.attempts == 1);
  CHECK(service.spawns == 1);
}

TEST_CASE_METHOD(chain_fixture, "the id in the registry is the one that the service gave") {
  submit({make_task("t")});
  auto known = agents();
  REQUIRE(known.size() == 1);
  CHECK(service.agents.contains(known[0].key.id.str()));
  REQUIRE(client->find("/execute"));
  CHECK(client->find("/execute")->line() ==
        "POST http://service/agents/" + known[0].key.id.str() + "/execute");
  execute();
  CHECK(task("t").agent == known[0].key);
}

TEST_CASE_METHOD(chain_fixture, "six tasks of six roles run at the same time on six agents") {
  std::vector<task_spec> tasks;
  for (const auto* role : {"a", "b", "c", "d", "e", "f"}) {
    service.roles[role] = 1;
    tasks.push_back(make_task(std::string{"task-"} + role, role));
  }
  advance(millis{31'000}); // until the roles are asked for again
  submit(tasks);
  CHECK(service.spawns == 6);
  CHECK(executing() == 6);
  while (execute())
    continue;
  for (const auto& t : tasks)
    CHECK(task(t.id.str()).state == task_state::completed);
}

TEST_CASE_METHOD(chain_fixture, "agents that already run are found and used, not spawned again") {
  service.agents["from-before"] = "reviewer";
  advance(millis{2'500}); // the next check
  submit({make_task("t")});
  CHECK(service.spawns == 0);
  REQUIRE(execute("from-before"));
  CHECK(task("t").state == task_state::completed);
}

TEST_CASE_METHOD(chain_fixture, "the request of an execution is the protocol's") {
  auto spec = make_task("t 1");
  spec.input = json_text{R"({"path":"."})"};
  spec.context_id = "ctx";
  spec.timeout = millis{1'500};
  submit({spec});
  auto* call = client->find("/execute");
  REQUIRE(call);
  auto body = nlohmann::json::parse(call->body());
  CHECK(body == nlohmann::json{{"task_id", "t 1"},
                               {"attempt", 1},
                               {"role", "reviewer"},
                               {"timeout_ms", 1'500},
                               {"context_id", "ctx"},
                               {"input", {{"path", "."}}}});
  CHECK(net::find_header(call->request.headers, "Idempotency-Key") == "t%201");
  CHECK(net::find_header(call->request.headers, "traceparent")->size() == 55);
  CHECK(call->request.timeout == millis{1'500});
}

TEST_CASE_METHOD(chain_fixture, "a late outcome of an old attempt changes nothing") {
  submit({make_task("t")});
  auto old = task("t");
  REQUIRE(execute("", 500, "{}"));
  advance(millis{500});
  REQUIRE(executing() == 1); // the second attempt
  attempt_outcome late;
  late.task = task_id{"t"};
  late.attempt = 1;
  late.agent = old.agent;
  late.verdict = verdict::completed;
  late.output = json_text{"\"late\""};
  self->send(coord, late);
  run();
  CHECK(task("t").state == task_state::working);
  CHECK(executing() == 1);
  REQUIRE(execute());
  CHECK(task("t").output == json_text{"\"done\""});
  CHECK(task("t").attempts == 2);
  self->send(coord, late);
  run();
  CHECK(task("t").output == json_text{"\"done\""}); // a terminal state never changes
}

TEST_CASE_METHOD(chain_fixture, "a dead worker is replaced and its attempt retried") {
  submit({make_task("t")});
  REQUIRE(executing() == 1);
  // The workers are the pool's own; the pool tells nobody who they are.
  auto& workers = dynamic_cast<caf::stateful_actor<pool_state, pool_actor::base>&>(
                      *caf::actor_cast<caf::abstract_actor*>(pl))
                      .state.workers;
  for (const auto& worker : std::vector<worker_actor>{workers})
    caf::anon_send_exit(worker, caf::exit_reason::kill);
  run();
  CHECK(client->canceled.size() == 1); // its connection is not left open
  advance(millis{500});
  REQUIRE(executing() == 1);
  REQUIRE(execute());
  CHECK(task("t").state == task_state::completed);
  CHECK(task("t").attempts == 2);
}

TEST_CASE_METHOD(chain_fixture, "a canceled task closes its connection and frees its agent") {
  submit({make_task("running")});
  REQUIRE(executing() == 1);
  auto canceled = ask<task_record>(coord, atom::cancel_v, task_id{"running"});
  CHECK(canceled.state == task_state::canceled);
  run();
  CHECK(client->canceled.size() == 1);
  submit({make_task("next")});
  CHECK(service.spawns == 1); // the same agent is free again
  REQUIRE(execute());
  CHECK(task("next").state == task_state::completed);
}

TEST_CASE_METHOD(chain_fixture, "a batch is accepted as a whole or not at all") {
  submit({make_task("a")});
  auto other = make_task("a");
  other.priority = 5;
  submit({make_task("b"), other});
  CHECK(last_error == caf::make_error(ec::duplicate_task));
  CHECK(task("b").id.empty());
}

TEST_CASE_METHOD(chain_fixture, "whoever follows tasks is told every change, in order") {
  self->send(coord, atom::subscribe_v, me<task_listener_actor>());
  submit({make_task("t")});
  execute("", 503, "{}");
  advance(millis{2'000});
  execute();
  std::string states;
  for (const auto& event : take<task_event>())
    states += to_string(event.task->state) + " ";
  CHECK(states == "submitted working submitted working completed ");
}
