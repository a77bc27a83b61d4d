#include "tests/app/service_fixture.hpp"

using namespace rolecall;
using rolecall::tests::json;
using rolecall::tests::service_fixture;
using rolecall::tests::stubborn_script;

namespace {

/// A role whose command is the input of the task: a shell script.
json script_role() {
  return {{"role", "worker"},
          {"command",
           {"python3", "-c",
            "import json,os,sys\n"
            "script = json.load(sys.stdin)['input']\n"
            "os.execvp('sh', ['sh', '-c', script])"}}};
}

json output_of(const rolecall::tests::reply& answer) {
  INFO(answer.body.dump());
  CHECK(answer.status == 200);
  CHECK(answer.body["status"] == "completed");
  return answer.body["output"];
}

} // namespace

TEST_CASE_METHOD(service_fixture, "what a command prints is its output: JSON, text, or an answer") {
  serve(json::array({script_role()}));
  auto run = [&](const std::string& script) { return execute(task(script)); };
  CHECK(output_of(run("echo '[1, {\"a\": null}]'")) == json::parse(R"([1, {"a": null}])"));
  CHECK(output_of(run("echo 'Two\nlines'")) == "Two\nlines");
  CHECK(output_of(run("echo '{\"broken\": '")) == "{\"broken\": ");
  CHECK(output_of(run("true")).get<std::string>().empty());
  CHECK(output_of(run("printf 'a\\377b'")) == "a\xEF\xBF\xBD"
                                              "b");
  CHECK(output_of(run("echo '{\"status\": \"completed\"}'")) == json{{"status", "completed"}});
  CHECK(output_of(run("echo '{\"status\": \"completed\", \"output\": [7], \"x\": 1}'")) ==
        json::array({7}));
  auto deep = output_of(run("head -c 100000 /dev/zero | tr '\\0' '['"));
  CHECK(deep.is_string());
  auto failed = run(R"(echo '{"status":"failed","error":{"code":"no_idea","message":"sorry"}}')");
  CHECK(failed.status == 200);
  CHECK(failed.body ==
        json::parse(R"({"status":"failed","error":{"code":"no_idea","message":"sorry"}})"));
}

TEST_CASE_METHOD(service_fixture, "how a command ends decides who is to blame") {
  serve(json::array({script_role()}));
  auto failed = execute(task("echo out; echo why >&2; exit 3"));
  CHECK(failed.status == 200);
  CHECK(failed.body["status"] == "failed");
  CHECK(failed.code() == "command_failed");
  CHECK(failed.message() == "exit code 3: why");

  auto later = execute(task("exit 75"));
  CHECK(later.status == 503);
  CHECK(later.code() == "temporary_failure");
  CHECK(later.header("Retry-After") == "1");

  auto crashed = execute(task("echo 'the last words' >&2; kill -9 $$"));
  CHECK(crashed.status == 500);
  CHECK(crashed.code() == "agent_crashed");
  CHECK(crashed.message() == "killed by signal 9 (Killed): the last words");
}

TEST_CASE_METHOD(service_fixture, "a command knows who it is") {
  auto role =
      shell_role("echo $ROLECALL_AGENT_ID $ROLECALL_ROLE $ROLECALL_TASK_ID $COLOUR; pwd -P");
  role["environment"] = {{"COLOUR", "blue"}};
  std::filesystem::create_directory(folder.path() / "place");
  role["directory"] = "place";
  serve(json::array({role}));
  auto id = spawn();
  auto output = output_of(http().call("POST", "/agents/" + id + "/execute", task(1)));
  CHECK(output ==
        id + " worker t1 blue\n" + std::filesystem::canonical(folder.path() / "place").string());
}

TEST_CASE_METHOD(service_fixture,
                 "a task that takes too long is killed: by its own limit or the role's") {
  auto role = shell_role(stubborn_script);
  role["timeout"] = "1h";
  auto hasty = role;
  hasty["role"] = "hasty";
  hasty["timeout"] = "2s";
  serve(json::array({role, hasty}));
  auto body = task(1);
  body["timeout_ms"] = 2'000;
  for (const auto* name : {"worker", "hasty"}) {
    body["role"] = name;
    auto call = http().start("POST", "/execute", body);
    auto pid = wait_for_pid("pid");
    auto answer = http().wait(call);
    CHECK(answer.status == 504);
    CHECK(answer.code() == "timeout");
    CHECK(answer.message() == "no answer within 2s");
    CHECK_FALSE(rolecall::tests::is_alive(pid));
    folder.write("pid", "");
    body["timeout_ms"] = 3'600'000;
  }
}

TEST_CASE_METHOD(service_fixture, "an answer over the bound is refused, and the command killed") {
  auto role =
      shell_role("echo $$ > pid; trap '' PIPE; while :; do echo xxxxxxxxxxxxxxxxxxxx; done");
  role["max_output"] = 1'000;
  serve(json::array({role}));
  auto answer = execute(task(1));
  CHECK(answer.status == 200);
  CHECK(answer.code() == "output_too_large");
  CHECK(answer.message() == "the answer is larger than 1000 bytes");
  CHECK(wait_until_gone(wait_for_pid("pid")));
}

TEST_CASE_METHOD(service_fixture, "large input and large output pass through") {
  auto role = shell_role("cat");
  role["max_output"] = 2'000'000;
  serve(json::array({role}));
  std::string large(1'000'000, 'x');
  auto answer = execute(task(large));
  CHECK(answer.status == 200);
  CHECK((answer.body["output"]["input"] == large)); // in brackets: not to be printed
}

TEST_CASE_METHOD(service_fixture,
                 "a command that is gone when its task comes is a failure for now") {
  folder.write("command", "#!/bin/sh\n");
  std::filesystem::permissions(folder.path() / "command", std::filesystem::perms::owner_all);
  json role{{"role", "worker"}, {"command", {"./command"}}};
  serve(json::array({role}));
  CHECK(execute(task(1)).status == 200);
  std::filesystem::remove(folder.path() / "command");
  auto answer = execute(task(1));
  CHECK(answer.status == 503);
  CHECK(answer.code() == "spawn_failed");
  CHECK(agents()[0]["state"] == "idle");
}

TEST_CASE_METHOD(service_fixture, "a client that goes away takes its task along") {
  serve(json::array({shell_role("(" + stubborn_script + ") & wait")}));
  auto call = http().start("POST", "/execute", task(1));
  auto pid = wait_for_pid("pid");
  http().cancel(call);
  CHECK(wait_until_gone(pid));
  CHECK(loop.run_until([&] { return agents()[0]["state"] == "idle"; }));
}

TEST_CASE_METHOD(service_fixture, "a task is canceled by its id") {
  serve(json::array({shell_role(stubborn_script)}));
  auto id = spawn();
  auto call = http().start("POST", "/agents/" + id + "/execute", task(1, "a/b c"));
  auto pid = wait_for_pid("pid");
  CHECK(http().call("DELETE", "/agents/" + id + "/tasks/a%2Fb%20c").status == 204);
  CHECK_FALSE(rolecall::tests::is_alive(pid));
  auto answer = http().wait(call);
  CHECK(answer.status == 200);
  CHECK(answer.code() == "canceled");
  CHECK(agents()[0]["state"] == "idle");
}

TEST_CASE_METHOD(service_fixture, "a cancel of another attempt leaves the task alone") {
  serve(json::array({shell_role("(" + stubborn_script + ") & wait")}));
  auto id = spawn();
  auto body = task(1);
  body["attempt"] = 2;
  auto call = http().start("POST", "/agents/" + id + "/execute", body);
  auto pid = wait_for_pid("pid");
  auto cancel = [&](const std::string& attempt) {
    return http().call("DELETE", "/agents/" + id + "/tasks/t1", nullptr,
                       {{"Rolecall-Attempt", attempt}});
  };
  auto late = cancel("1");
  CHECK(late.status == 404);
  CHECK(late.code() == "unknown_task");
  CHECK(rolecall::tests::is_alive(pid));
  CHECK(cancel("2").status == 204);
  CHECK(wait_until_gone(pid)); // and its parent, the command itself, before the answer
  CHECK(http().wait(call).code() == "canceled");
  CHECK(cancel("2").status == 404);
}

TEST_CASE_METHOD(service_fixture, "an agent that is retired takes its task along") {
  serve(json::array({shell_role(stubborn_script)}));
  auto id = spawn();
  auto call = http().start("POST", "/agents/" + id + "/execute", task(1));
  auto pid = wait_for_pid("pid");
  CHECK(http().call("DELETE", "/agents/" + id).status == 204);
  CHECK_FALSE(rolecall::tests::is_alive(pid));
  auto answer = http().wait(call);
  CHECK(answer.status == 503);
  CHECK(answer.code() == "agent_retired");
  CHECK(agents().empty());
}
