#include "messages/json_codec.hpp"

#include <catch2/catch.hpp>

using namespace rolecall;

namespace {

std::optional<task_spec> read(const std::string& text, std::vector<problem>& problems) {
  return read_task(nlohmann::json::parse(text), "/0", problems);
}

} // namespace

TEST_CASE("a task is read with all its members") {
  std::vector<problem> problems;
  auto task = read(R"({"task_id":"t","role":"r","input":{"a":[1]},"skills":["cpp"],"priority":9,
                       "timeout":"1.5s","max_attempts":2,"context_id":"c","labels":{"k":"v"}})",
                   problems);
  REQUIRE(task);
  CHECK(problems.empty());
  CHECK(*task == task_spec{task_id{"t"},
                           role_name{"r"},
                           json_text{R"({"a":[1]})"},
                           {"cpp"},
                           9,
                           millis{1'500},
                           2,
                           "c",
                           {{"k", "v"}},
                           "",
                           task_id{}});
}

TEST_CASE("a task needs a role and an input, nothing else") {
  std::vector<problem> problems;
  auto task = read(R"({"role":"r","input":null})", problems);
  REQUIRE(task);
  CHECK(task->id.empty());
  CHECK(task->input == json_text{"null"});
  CHECK_FALSE(read("{}", problems));
  CHECK(problems.size() == 2);
}

TEST_CASE("what is wrong with a task is told, all of it") {
  std::vector<problem> problems;
  CHECK_FALSE(read(R"({"task_id":"","role":3,"input":1,"skills":"cpp","priority":10,"timeout":"0s",
                       "max_attempts":0,"context_id":7,"labels":{"a":1},"depends_on":["x","x"],"deadline":"0s","retry":{"codes":[]},
                       "on_dependency_failure":"stop","idempotent":"yes",
                       "rolle":"r"})",
                   problems));
  CHECK(to_text(problems) == R"(/0/task_id: must not be empty
/0/role: must be a string, not number
/0/skills: must be an array, not string
/0/priority: must be a whole number from 0 to 9, not 10
/0/timeout: must be a duration with a unit, at least 1ms and at most 3650d ("250ms", "30s", "2m"), not "0s"
/0/max_attempts: must be a whole number from 1 to 1000, not 0
/0/context_id: must be a string, not number
/0/labels: "a" must be a name with a string of at most 1024 bytes
/0/deadline: must be a duration with a unit, at least 1ms and at most 3650d ("250ms", "30s", "2m"), not "0s"
/0/retry/codes: is empty; for no retries set max_attempts to 1
/0/depends_on: names "x" twice
/0/on_dependency_failure: must be "fail" or "run", not "stop"
/0/idempotent: must be true or false, not string
/0/rolle: unknown field; did you mean "role"?
)");
}

TEST_CASE("a negative timeout is refused") {
  std::vector<problem> problems;
  CHECK_FALSE(read(R"({"role":"r","input":1,"timeout":"-1s"})", problems));
  CHECK_FALSE(read(R"({"role":"r","input":1,"timeout":-1})", problems));
  CHECK(problems.size() == 2);
}

TEST_CASE("a report's task has the output or the error, never both") {
  task_record task;
  task.id = task_id{"t"};
  task.role = role_name{"r"};
  task.state = task_state::completed;
  task.agent = {service_name{"local"}, agent_id{"a-1"}};
  task.attempts = 2;
  task.queued = millis{5};
  task.run = millis{7};
  task.output = json_text{"[1]"};
  CHECK(dump(to_json(task)) ==
        R"({"task_id":"t","role":"r","state":"completed","agent_id":"a-1","attempts":2,)"
        R"("queued_ms":5,"run_ms":7,"output":[1]})");
  task.state = task_state::failed;
  task.agent = {};
  task.error = {ec::timeout, "too late"};
  CHECK(dump(to_json(task)) ==
        R"({"task_id":"t","role":"r","state":"failed","agent_id":null,"attempts":2,)"
        R"("queued_ms":5,"run_ms":7,"error":{"code":"timeout","message":"too late"}})");
}
