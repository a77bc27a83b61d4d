// Each row of "what a failure means", provoked.
#include "tests/support/chain_fixture.hpp"

#include <catch2/catch.hpp>

using namespace rolecall;
using namespace rolecall::tests;

namespace {

struct failure_fixture : chain_fixture {
  failure_fixture() {
    service.agents["other"] = "reviewer"; // so that there is one to go to
    advance(millis{2'100});
    submit({make_task("t")});
    run();
    first = task("t").agent.id.str();
  }
  std::string first;
};

} // namespace

TEST_CASE_METHOD(failure_fixture, "what may be better elsewhere is retried on another agent") {
  SECTION("status") {
    auto status = GENERATE(408u, 425u, 429u, 500u, 502u, 503u, 504u);
    service.agents["another"] = "reviewer";
    advance(millis{2'100});
    REQUIRE(execute("", status, "{}"));
    CHECK(task("t").error.message.find(std::to_string(status)) != std::string::npos);
    advance(millis{1'500});
    CHECK(task("t").agent.id.str() != first);
  }
  SECTION("lost") {
    auto code = GENERATE(net::http_errc::timeout, net::http_errc::malformed,
                         net::http_errc::too_large, net::http_errc::tls_failed);
    service.agents["another"] = "reviewer";
    advance(millis{2'100});
    REQUIRE(lose(code));
    advance(millis{1'500});
    CHECK(task("t").agent.id.str() != first);
  }
  SECTION("an answer that is not the protocol's") {
    auto body =
        GENERATE("", "no JSON", "[]", "{}", R"({"status":"completed"})", R"({"status":"failed"})",
                 R"({"status":"failed","error":"x"})", R"({"status":"working","output":1})");
    service.agents["another"] = "reviewer";
    advance(millis{2'100});
    REQUIRE(execute("", 200, body));
    CHECK(task("t").error.kind == ec::protocol_error);
    advance(millis{1'500});
    CHECK(task("t").agent.id.str() != first);
  }
  REQUIRE(execute());
  CHECK(task("t").state == task_state::completed);
  CHECK(task("t").attempts == 2);
}

TEST_CASE_METHOD(failure_fixture, "302 is not followed: it is not the protocol's, and retried") {
  REQUIRE(execute("", 302, "", {{"Location", "http://elsewhere"}}));
  CHECK(task("t").error.kind == ec::protocol_error);
  advance(millis{1'500});
  CHECK(executing() == 1);
}

TEST_CASE_METHOD(failure_fixture, "any other 4xx is the task's own fault and fails at once") {
  auto status = GENERATE(400u, 401u, 403u, 405u, 409u, 413u, 422u);
  REQUIRE(execute("", status, R"({"error":{"code":"invalid","message":"look here"}})"));
  auto failed = task("t");
  CHECK(failed.state == task_state::failed);
  CHECK(failed.attempts == 1);
  CHECK(failed.error.message.find("look here") != std::string::npos);
}

TEST_CASE_METHOD(failure_fixture, "an agent that says that the task failed is believed") {
  REQUIRE(execute("", 200, R"({"status":"failed","error":{"code":"no_such_path","message":"x"}})"));
  auto failed = task("t");
  CHECK(failed.state == task_state::failed);
  CHECK(failed.attempts == 1);
  CHECK(failed.error.kind == ec::agent_failed);
  CHECK(failed.error.code == "no_such_path");
}

TEST_CASE_METHOD(failure_fixture, "429 parks the agent until Retry-After, and the task waits") {
  service.capacity = 1; // there will be no other
  REQUIRE(execute("", 429, "{}", {{"Retry-After", "5"}}));
  advance(millis{4'800});
  CHECK(executing() == 0);
  CHECK(task("t").state == task_state::submitted);
  advance(millis{500});
  REQUIRE(execute());
  CHECK(task("t").state == task_state::completed);
}

TEST_CASE_METHOD(failure_fixture, "after the last attempt the task fails with the last error") {
  for (int i = 0; i < 3; ++i) {
    REQUIRE(execute("", 500, R"({"error":{"code":"x","message":"always"}})"));
    advance(millis{3'000});
  }
  auto failed = task("t");
  CHECK(failed.state == task_state::failed);
  CHECK(failed.attempts == 3);
  CHECK(failed.error.message.find("3 attempts") != std::string::npos);
  CHECK(failed.error.message.find("always") != std::string::npos);
  CHECK(executing() == 0);
}

TEST_CASE_METHOD(chain_fixture, "a task that failed tells the error of each of its attempts") {
  auto spec = make_task("t");
  spec.max_attempts = 100;
  spec.retry.backoff = spec.retry.max_backoff = millis{0};
  submit({spec});
  for (int i = 1; i <= 100; ++i) {
    REQUIRE(
        execute("", 500, R"({"error":{"code":"x","message":"no. )" + std::to_string(i) + R"("}})"));
    advance(millis{1'000}); // the retry budget
  }
  auto detail = ask<std::vector<task_detail>>(coord, atom::describe_v, std::vector{task_id{"t"}});
  REQUIRE(detail.at(0).history.size() == 100);
  CHECK(detail.at(0).history.front().error.message.find("no. 1") != std::string::npos);
  CHECK(detail.at(0).history.back().error.message.find("no. 100") != std::string::npos);
}

TEST_CASE_METHOD(chain_fixture, "attempts that find no agent do not count, but have a bound") {
  auto spec = make_task("t");
  spec.max_attempts = 1; // still at most once: nothing of it has been done
  submit({spec});
  std::uint32_t misses = 0;
  for (; execute("", 404, "{}"); ++misses)
    advance(millis{5'000});
  CHECK(misses == coordinator_options{}.max_misses + 1);
  CHECK(task("t").state == task_state::failed);
  CHECK(task("t").error.kind == ec::unknown_agent);
}

TEST_CASE_METHOD(chain_fixture, "max_attempts 1 gives at most once") {
  auto spec = make_task("once");
  spec.max_attempts = 1;
  submit({spec});
  REQUIRE(execute("", 500, "{}"));
  advance(millis{5'000});
  CHECK(task("once").state == task_state::failed);
  CHECK(executing() == 0);
}

TEST_CASE_METHOD(chain_fixture, "an attempt whose outcome never comes is given up and retried") {
  auto spec = make_task("t");
  spec.timeout = millis{1'000};
  submit({spec});
  REQUIRE(executing() == 1);
  advance(millis{5'900});
  CHECK(task("t").attempts == 1);
  advance(millis{1'000}); // timeout, grace and the backoff's bound
  CHECK(task("t").attempts == 2);
}
