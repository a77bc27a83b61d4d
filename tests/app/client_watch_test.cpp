// `rolecall watch` against a node whose events the test sends.
#include "tests/app/client_fixture.hpp"

#include <csignal>

using namespace rolecall::tests;
using json = nlohmann::json;

TEST_CASE("events are told as they come, a line each, until Ctrl-C") {
  scripted_node node;
  program child{{"watch", "--role", "r", "--state", "working,completed", "--node", node.url()}};
  CHECK(node.await_reader().empty());
  CHECK(node.requests().back() == "GET /v1/events?role=r&state=working%2Ccompleted");
  node.send_event("task", 101, task_view("a", "working"));
  CHECK(child.line().substr(8) == " working a role=r agent=agent-1 attempt=1");
  node.send_event(
      "agent", 102,
      {{"change", "up"},
       {"agent", {{"agent_id", "x"}, {"role", "r"}, {"service", "s"}, {"state", "ready"}}}});
  CHECK(child.line().substr(8) == " agent up x role=r service=s state=ready");
  node.send(": keep-alive\n\nevent: news\ndata: 1\n\n");
  node.send_event("task", 103, task_view("a", "failed"));
  CHECK(child.line().substr(8) ==
        " failed a role=r agent=agent-1 attempt=1 time=15ms: agent_failed: no luck");
  ::kill(child.pid(), SIGINT);
  CHECK(ended(child).code == 130);
}

TEST_CASE("over a loss of the node no event is lost and none comes twice") {
  scripted_node node;
  program child{{"watch", "--json", "--node", node.url()}};
  CHECK(node.await_reader().empty());
  node.send_event("task", 101, task_view("a", "working"));
  CHECK(json::parse(child.line())["id"] == "101");
  node.send("id: 102\nevent: task\ndata: {\"half\":"); // cut off in the middle
  node.stop();
  node.start_again();
  CHECK(node.await_reader() == "101");
  node.send_event("task", 101, task_view("a", "working"));
  node.send_event("task", 102, task_view("a", "completed"));
  auto event = json::parse(child.line());
  CHECK(event["id"] == "102");
  CHECK(event["type"] == "task");
  CHECK(event["data"]["state"] == "completed");
  node.send("id: 110\nevent: gap\ndata: {\"missed_after\":\"102\",\"oldest\":\"110\"}\n\n");
  CHECK(json::parse(child.line())["type"] == "gap");
  ::kill(child.pid(), SIGTERM);
  auto got = ended(child);
  CHECK(got.code == 130);
  CHECK(got.errors.find("lost the node") != std::string::npos);
  CHECK(got.errors.find("is back") != std::string::npos);
  CHECK(got.errors.find("events were missed") != std::string::npos);
}

TEST_CASE("a reader that lost the node before the first event goes on from the hello") {
  scripted_node node;
  program child{{"watch", "--json", "--node", node.url()}};
  node.await_reader();
  node.send("event: news\ndata: {}\n\n"); // so that the hello has been read when the stream is cut
  CHECK(json::parse(child.line())["type"] == "news");
  node.drop_reader();
  CHECK(node.await_reader() == "100");
}

TEST_CASE("with ids, watch ends when these tasks have ended, and says whether all completed") {
  scripted_node node;
  auto good = GENERATE(true, false);
  node.on("GET /v1/tasks/a", 200, task_view("a", "completed").dump());
  node.on("GET /v1/tasks/b", 200, task_view("b", "working").dump());
  program child{{"watch", "a", "b", "a", "--node", node.url()}};
  node.await_reader();
  auto first = child.line() + child.line(); // they are asked for at the same time
  CHECK(first.find("completed a") != std::string::npos);
  CHECK(first.find("working b") != std::string::npos);
  auto end = task_view("b", good ? "completed" : "failed");
  node.on("GET /v1/tasks/b", 200, end.dump());
  node.send_event("task", 101, end);
  CHECK(child.line().find(good ? "completed b" : "failed b") != std::string::npos);
  CHECK(ended(child).code == (good ? 0 : 1));
}

TEST_CASE("a task that the node does not know is told, and is a failure") {
  scripted_node node;
  program child{{"watch", "nobody", "--node", node.url()}};
  node.await_reader();
  auto got = ended(child);
  CHECK(got.code == 1);
  CHECK(got.output.find("failed nobody: unknown_task: ") != std::string::npos);
}

TEST_CASE("a refusal ends the watch, and so does what is no stream of events") {
  scripted_node node;
  node.on("GET /v1/events", 403, R"({"detail":"you may not","code":"forbidden"})",
          "application/problem+json");
  auto refused = run_client(node, {"watch"});
  CHECK(refused.code == 1);
  CHECK(refused.errors.starts_with("rolecall watch: you may not (forbidden)\n"));
  node.on("GET /v1/events", 200, "<html>", "text/html");
  auto other = run_client(node, {"watch"});
  CHECK(other.code == 1);
  CHECK(other.errors.find("no stream of events") != std::string::npos);
  node.stop();
  auto away = run_client(node, {"watch", "a"});
  CHECK(away.code == 1);
  CHECK(away.errors.find("cannot connect") != std::string::npos);
  CHECK(run_client(node, {"watch", "a", "--role", "r"}).code == 2);
}
