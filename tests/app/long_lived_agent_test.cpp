#include "tests/app/service_fixture.hpp"

#include <csignal>

using namespace rolecall;
using rolecall::tests::json;
using rolecall::tests::service_fixture;

namespace {

/// A process that stays: it counts its tasks, and does what their input says.
json counter_role() {
  static const char* const program = R"(
import json, os, signal, sys
count = 0
for line in sys.stdin:
    task = json.loads(line)
    count += 1
    do = task["input"]
    if do == "die":
        print("no more", file=sys.stderr)
        os._exit(4)
    if do == "hang":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        open("hangs", "w").write("%d\n" % os.getpid())
        while True:
            signal.pause()
    if do == "large":
        print("x" * 100000, flush=True)
    elif do == "text":
        print("just text", flush=True)
    else:
        print(json.dumps({"status": "completed", "output": [count, task["task_id"]]}), flush=True)
)";
  return {{"role", "worker"},
          {"mode", "per_agent"},
          {"max_output", 50'000},
          {"command", {"python3", "-c", program}}};
}

} // namespace

TEST_CASE_METHOD(service_fixture, "a process that stays answers task after task") {
  serve(json::array({counter_role()}));
  auto path = "/agents/" + spawn() + "/execute";
  auto pid = agents()[0]["pid"];
  for (int i = 1; i <= 3; ++i) {
    auto id = "t" + std::to_string(i);
    CHECK(http().call("POST", path, task("", id)).body["output"] == json{i, id});
  }
  CHECK(http().call("POST", path, task("text")).body["output"] == "just text");
  CHECK(agents()[0]["pid"] == pid);
}

TEST_CASE_METHOD(service_fixture,
                 "a process that dies at work fails its task, and the agent is gone") {
  serve(json::array({counter_role()}));
  auto id = spawn();
  auto answer = http().call("POST", "/agents/" + id + "/execute", task("die"));
  CHECK(answer.status == 500);
  CHECK(answer.code() == "agent_crashed");
  CHECK(answer.message() == "exit code 4: no more");
  CHECK(agents().empty());
  auto after = http().call("POST", "/agents/" + id + "/execute", task(""));
  CHECK(after.status == 404);
  CHECK(after.code() == "unknown_agent");
}

TEST_CASE_METHOD(service_fixture, "an idle process that is killed is no agent any more") {
  serve(json::array({counter_role()}));
  spawn();
  ::kill(agents()[0]["pid"].get<pid_t>(), SIGKILL);
  CHECK(loop.run_until([&] { return agents().empty(); }));
}

TEST_CASE_METHOD(service_fixture, "a process that is killed at work fails its task for a retry") {
  serve(json::array({counter_role()}));
  auto call = http().start("POST", "/execute", task("hang"));
  ::kill(wait_for_pid("hangs"), SIGKILL);
  auto answer = http().wait(call);
  CHECK(answer.status == 500);
  CHECK(answer.message() == "killed by signal 9 (Killed)");
  CHECK(agents().empty());
}

TEST_CASE_METHOD(service_fixture,
                 "after a timeout, a cancel or an answer too large the process is gone") {
  serve(json::array({counter_role()}));
  auto id = spawn();
  auto path = "/agents/" + id + "/execute";
  rolecall::tests::caller::pending call;
  SECTION("timeout") {
    auto body = task("hang");
    body["timeout_ms"] = 1'000;
    call = http().start("POST", path, body);
    CHECK(http().wait(call).code() == "timeout");
  }
  SECTION("cancel") {
    call = http().start("POST", path, task("hang"));
    wait_for_pid("hangs");
    CHECK(http().call("DELETE", "/agents/" + id + "/tasks/t1").status == 204);
    CHECK(http().wait(call).code() == "canceled");
  }
  SECTION("disconnect") {
    call = http().start("POST", path, task("hang"));
    wait_for_pid("hangs");
    http().cancel(call);
  }
  SECTION("too large") {
    call = http().start("POST", path, task("large"));
    CHECK(http().wait(call).code() == "output_too_large");
  }
  CHECK(loop.run_until([&] { return agents().empty(); }));
}

TEST_CASE_METHOD(service_fixture, "retiring ends the process, at work or not") {
  serve(json::array({counter_role()}));
  auto id = spawn();
  auto pid = agents()[0]["pid"].get<pid_t>();
  rolecall::tests::caller::pending call;
  bool at_work = GENERATE(false, true);
  if (at_work) {
    call = http().start("POST", "/agents/" + id + "/execute", task("hang"));
    wait_for_pid("hangs");
  }
  CHECK(http().call("DELETE", "/agents/" + id).status == 204);
  CHECK_FALSE(rolecall::tests::is_alive(pid));
  if (at_work)
    CHECK(http().wait(call).code() == "agent_retired");
}

TEST_CASE_METHOD(service_fixture, "a process takes one task at a time") {
  serve(json::array({counter_role()}));
  auto path = "/agents/" + spawn() + "/execute";
  auto call = http().start("POST", path, task("hang"));
  wait_for_pid("hangs");
  CHECK(http().call("POST", path, task("", "t2")).code() == "busy");
}

TEST_CASE_METHOD(service_fixture, "a process that cannot be started is no agent") {
  folder.write("command", "#!/nowhere/at/all\n");
  std::filesystem::permissions(folder.path() / "command", std::filesystem::perms::owner_all);
  json role{{"role", "worker"}, {"mode", "per_agent"}, {"command", {"./command"}}};
  serve(json::array({role}));
  auto answer = http().call("POST", "/agents", {{"role", "worker"}});
  CHECK(answer.status == 503);
  CHECK(answer.code() == "spawn_failed");
  CHECK(agents().empty());
}
