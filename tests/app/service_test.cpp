#include "tests/app/service_fixture.hpp"

#include <set>

using namespace rolecall;
using rolecall::tests::json;
using rolecall::tests::service_fixture;

TEST_CASE_METHOD(service_fixture, "a service tells that it is up, its roles and its agents") {
  auto role = shell_role("cat");
  role["skills"] = {{"cpp", 0.9}};
  role["max_concurrency"] = 2;
  serve(json::array({role}));
  CHECK(http().call("GET", "/health").status == 200);
  json offer{{"role", "worker"}, {"skills", {{"cpp", 0.9}}}, {"max_concurrency", 2}};
  CHECK(http().call("GET", "/roles").body == json{{"roles", {offer}}});
  CHECK(agents() == json::array());

  auto made = http().call("POST", "/agents", {{"role", "worker"}});
  CHECK(made.status == 201);
  CHECK(made.body["agent_id"].get<std::string>().starts_with("worker-"));
  CHECK(made.body["state"] == "idle");
  CHECK(made.body["skills"] == offer["skills"]);
  CHECK(made.body["max_concurrency"] == 2);
  CHECK(agents() == json::array({made.body}));
}

TEST_CASE_METHOD(service_fixture, "no two agents have the same id") {
  serve(json::array({shell_role("cat")}));
  std::set<std::string> ids;
  for (int i = 0; i < 20; ++i) {
    auto id = spawn();
    CHECK(http().call("DELETE", "/agents/" + id).status == 204);
    ids.insert(id);
    ids.insert(spawn());
  }
  CHECK(ids.size() == 40);
}

TEST_CASE_METHOD(service_fixture,
                 "the id of an agent can be put in a path, whatever its role is called") {
  auto role = shell_role("cat");
  role["role"] = "Größe / 100 %";
  serve(json::array({role}));
  auto id = spawn("Größe / 100 %");
  CHECK(net::encode_path_segment(id) == id);
  auto body = task(1);
  body["role"] = "Größe / 100 %";
  CHECK(http().call("POST", "/agents/" + id + "/execute", body).status == 200);
}

TEST_CASE_METHOD(service_fixture,
                 "a task reaches the agent as it came, and its answer comes back") {
  serve(json::array({shell_role("cat")}));
  auto id = spawn();
  auto body = task({{"text", "Zeile 1\nZeile 2"}, {"n", 1.5}});
  body["context_id"] = "c1";
  body["dependencies"] = {{"t0", {1, 2}}};
  body["timeout_ms"] = 10'000;
  body["deadline_ms"] = 20'000;
  body["something_new"] = true;
  auto answer = http().call("POST", "/agents/" + id + "/execute", body,
                            {{"Idempotency-Key", "t1"}, {"Content-Type", "application/json"}});
  CHECK(answer.status == 200);
  CHECK(answer.header("Content-Type") == "application/json");
  body["agent_id"] = id;
  CHECK(answer.body == json{{"status", "completed"}, {"output", body}});
  CHECK(agents()[0]["state"] == "idle");
}

TEST_CASE_METHOD(service_fixture, "what a service cannot do it says with code and status") {
  serve(json::array({shell_role("cat")}));
  auto id = spawn();
  auto expect = [](const auto& answer, unsigned status, const std::string& code) {
    INFO(answer.body.dump());
    CHECK(answer.status == status);
    CHECK(answer.code() == code);
  };
  expect(http().call("POST", "/agents", {{"role", "nobody"}}), 404, "unknown_role");
  expect(http().call("POST", "/agents", json::object()), 400, "invalid_request");
  expect(http().call("POST", "/agents", "{"), 400, "invalid_request");
  expect(http().call("POST", "/agents"), 400, "invalid_request");
  expect(http().call("DELETE", "/agents/nobody"), 404, "unknown_agent");
  expect(http().call("POST", "/agents/nobody/execute", task(1)), 404, "unknown_agent");
  expect(http().call("DELETE", "/agents/nobody/tasks/t1"), 404, "unknown_agent");
  expect(http().call("DELETE", "/agents/" + id + "/tasks/t1"), 404, "unknown_task");
  auto other = task(1);
  other["role"] = "nobody";
  expect(execute(other), 404, "unknown_role");
  expect(http().call("POST", "/agents/" + id + "/execute", other), 400, "invalid_request");
  expect(http().call("GET", "/"), 404, "not_found");
  expect(http().call("GET", "/agents/"), 405, "method_not_allowed");
  expect(http().call("GET", "/agents/%zz"), 404, "not_found");
  auto put = http().call("PUT", "/agents", json::object());
  expect(put, 405, "method_not_allowed");
  CHECK(put.header("Allow") == "GET, POST");
  expect(http().call("POST", "/execute", task(1), {{"Origin", "http://a.page"}}), 403, "forbidden");
}

TEST_CASE_METHOD(service_fixture, "all that is wrong with a task is said at once") {
  serve(json::array({shell_role("cat")}));
  auto answer = execute({{"task_id", ""}, {"attempt", 0}, {"timeout_ms", "1s"}});
  CHECK(answer.status == 400);
  for (std::string part :
       {"/task_id: ", "/attempt: ", "/input: is missing", "/role: is missing", "/timeout_ms: "})
    CHECK(answer.message().find(part) != std::string::npos);
}

TEST_CASE_METHOD(service_fixture, "an agent takes as many tasks at once as its role says") {
  auto role = shell_role("echo $$ > $ROLECALL_TASK_ID; exec sleep infinity");
  role["max_concurrency"] = 2;
  serve(json::array({role}));
  auto path = "/agents/" + spawn() + "/execute";
  auto first = http().start("POST", path, task(1, "t1"));
  auto second = http().start("POST", path, task(1, "t2"));
  wait_for_pid("t1");
  wait_for_pid("t2");
  auto third = http().call("POST", path, task(1, "t3"));
  CHECK(third.status == 429);
  CHECK(third.code() == "busy");
  CHECK(third.header("Retry-After") == "1");
  CHECK(agents()[0]["state"] == "busy");
  CHECK(agents()[0]["tasks"] == json{"t1", "t2"});
  http().cancel(second);
  REQUIRE(loop.run_until([&] { return agents()[0]["tasks"] == json{"t1"}; }));
  auto same = http().call("POST", path, task(1, "t1"));
  CHECK(same.status == 429); // it is being worked on
}

TEST_CASE_METHOD(service_fixture, "a service has a limit of agents for each role and for all") {
  auto one = shell_role("cat");
  one["max_agents"] = 1;
  auto other = shell_role("cat");
  other["role"] = "other";
  serve(json::array({one, other}), 2);
  auto refused = [&](const char* role) {
    auto answer = http().call("POST", "/agents", {{"role", role}});
    CHECK(answer.header("Retry-After") == "1");
    return answer.status == 429 && answer.code() == "no_capacity";
  };
  auto id = spawn();
  CHECK(refused("worker"));
  spawn("other");
  CHECK(refused("other"));
  CHECK(http().call("DELETE", "/agents/" + id).status == 204);
  spawn("other");
}

TEST_CASE_METHOD(service_fixture, "the service finds an agent by itself, or spawns one") {
  auto role = shell_role("echo $$ > $ROLECALL_TASK_ID; exec sleep infinity");
  role["max_agents"] = 2;
  serve(json::array({role}));
  auto first = http().start("POST", "/execute", task(1, "t1"));
  wait_for_pid("t1");
  auto second = http().start("POST", "/execute", task(1, "t2"));
  wait_for_pid("t2");
  CHECK(agents().size() == 2);
  auto third = execute(task(1, "t3"));
  CHECK(third.status == 429);
  CHECK(third.code() == "no_capacity");
  http().cancel(first);
  REQUIRE(loop.run_until([&] {
    auto all = agents();
    return all[0]["state"] == "idle" || all[1]["state"] == "idle";
  }));
  auto fourth = http().start("POST", "/execute", task(1, "t4"));
  wait_for_pid("t4");
  CHECK(agents().size() == 2);
}

TEST_CASE_METHOD(service_fixture, "a service that stops refuses, and answers what runs") {
  serve(json::array({shell_role(rolecall::tests::stubborn_script)}));
  auto running = http().start("POST", "/execute", task(1));
  auto pid = wait_for_pid("pid");
  bool stopped = false;
  service().stop([&] { stopped = true; });
  auto refused = http().call("GET", "/health");
  CHECK(refused.status == 503);
  CHECK(refused.code() == "shutting_down");
  auto answer = http().wait(running);
  CHECK(answer.status == 503);
  CHECK(answer.code() == "shutting_down");
  CHECK(loop.run_until([&] { return stopped; }));
  CHECK_FALSE(rolecall::tests::is_alive(pid));
}
