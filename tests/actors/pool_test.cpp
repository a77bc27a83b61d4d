#include "tests/support/actor_fixture.hpp"

#include <catch2/catch.hpp>

using namespace rolecall;
using namespace rolecall::tests;

namespace {

struct pool_fixture : actor_fixture {
  std::shared_ptr<scripted_client> client = std::make_shared<scripted_client>();
  pool_actor pl = keep(system.spawn(pool, client, pool_options{}));

  void execute(const std::string& task, const std::string& agent = "a", std::uint32_t limit = 1) {
    attempt_request request;
    request.task = task_id{task};
    request.attempt = 1;
    request.agent = make_agent(agent).key;
    request.max_concurrency = limit;
    request.service_url = "http://service";
    request.role = role_name{"reviewer"};
    request.input = json_text{"{}"};
    request.timeout = millis{1'000};
    request.traceparent = "00-1-2-01";
    self->send(pl, atom::execute_v, request, me<outcome_listener_actor>());
    run();
  }
};

} // namespace

TEST_CASE_METHOD(pool_fixture, "the pool has the last word on an agent's limit") {
  execute("1", "a", 2);
  execute("2", "a", 2);
  execute("3", "a", 2);
  CHECK(client->waiting("/execute") == 2);
  auto outcomes = take<attempt_outcome>();
  REQUIRE(outcomes.size() == 1);
  CHECK(outcomes[0].task == task_id{"3"});
  CHECK(outcomes[0].verdict == verdict::busy);
  client->answer("/execute", 200, R"({"status":"completed","output":1})");
  run();
  execute("4", "a", 2);
  CHECK(client->waiting("/execute") == 2);
}

TEST_CASE_METHOD(pool_fixture, "an outcome says how long the attempt took, by the actor's clock") {
  execute("1");
  advance(millis{250});
  client->answer("/execute", 200, R"({"status":"completed","output":null})");
  auto outcomes = take<attempt_outcome>();
  REQUIRE(outcomes.size() == 1);
  CHECK(outcomes[0].verdict == verdict::completed);
  CHECK(outcomes[0].output == json_text{"null"});
  CHECK(outcomes[0].elapsed == millis{250});
}

TEST_CASE_METHOD(pool_fixture, "canceling an attempt cancels its call, and its outcome comes") {
  execute("1");
  execute("2", "b");
  self->send(pl, atom::cancel_v, task_id{"1"}, std::uint32_t{1});
  self->send(pl, atom::cancel_v, task_id{"1"}, std::uint32_t{7}); // no such attempt
  auto outcomes = take<attempt_outcome>();
  REQUIRE(outcomes.size() == 1);
  CHECK(outcomes[0].task == task_id{"1"});
  CHECK(outcomes[0].verdict == verdict::canceled);
  CHECK(client->waiting("/execute") == 1);
}

TEST_CASE_METHOD(pool_fixture, "a pool that ends closes the connections of its workers") {
  execute("1");
  caf::anon_send_exit(pl, caf::exit_reason::user_shutdown);
  run();
  CHECK(client->waiting("/execute") == 0);
  CHECK(client->canceled.size() == 1);
}
