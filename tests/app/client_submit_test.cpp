// `rolecall submit` against a node that is scripted: what is sent, what is followed, what is said.
#include "tests/app/client_fixture.hpp"

#include <algorithm>
#include <csignal>
#include <future>
#include <sstream>

using namespace rolecall::tests;
using json = nlohmann::json;

namespace {

const std::string task = R"({"role":"r","input":1})";

/// Answers NDJSON as a node does: every line is accepted, but those whose role is "bad".
void accept_lines(const scripted_node::exchange& call) {
  std::istringstream body{call->body()};
  auto out = call->respond_streamed({200, {{"Content-Type", "application/x-ndjson"}}, {}});
  auto write = [&](const json& line) {
    out->write(std::make_shared<const std::string>(line.dump() + "\n"));
  };
  int number = 0, accepted = 0;
  for (std::string line; std::getline(body, line);) {
    auto value = json::parse(line);
    ++number;
    if (value["role"] == "bad") {
      write({{"line", number}, {"error", {{"detail", "no such role"}, {"code", "unknown_role"}}}});
    } else {
      ++accepted;
      write({{"line", number}, {"task_id", value.value("task_id", "id")}});
    }
  }
  write({{"accepted", accepted}, {"refused", number - accepted}});
  out->finish();
}

void serve_stats(scripted_node& node, int spawned) {
  node.on("GET /v1/stats", 200, json{{"agents", {{"spawned", spawned}}}}.dump());
}

} // namespace

TEST_CASE("a batch is sent as it was written, and the ids of its tasks are printed") {
  folder here;
  scripted_node node;
  node.on("POST /v1/tasks", 201,
          json{{"tasks", {task_view("a", "submitted", 0), task_view("b", "submitted", 0)}}}.dump());
  auto text = "\n [" + task + "," + task + "]\n";
  auto got = run_client(node, {"submit", here.write("t.json", text)});
  CHECK(got.code == 0);
  CHECK(got.output == "a\nb\n");
  CHECK(got.errors == "rolecall: 2 tasks accepted\n");
  CHECK(node.requests().front() == "POST /v1/tasks " + text);
  CHECK(node.header("Content-Type") == "application/json");
  auto as_json = run_client(node, {"submit", here.write("t.json", text), "--json"}).report();
  CHECK(as_json["tasks"].size() == 2);
}

TEST_CASE("one task can be submitted without a file") {
  scripted_node node;
  node.on("POST /v1/tasks", 201, task_view("a", "submitted", 0).dump());
  auto got = run_client(node, {"submit", "--role", "r", "--input", R"({"b":1,"a":2})"});
  CHECK(got.code == 0);
  CHECK(got.output == "a\n");
  CHECK(node.requests().front() == R"(POST /v1/tasks {"role":"r","input":{"b":1,"a":2}})");
  auto wrong = run_client(node, {"submit", "--role", "r", "--input", "text"});
  CHECK(wrong.code == 2);
  CHECK(wrong.errors.find("--input '\"text\"'") != std::string::npos);
}

TEST_CASE("a batch that is wrong is told line by line, and nothing is sent") {
  folder here;
  scripted_node node;
  auto got = run_client(
      node, {"submit", here.write("t.json", R"({"tasks":[{"role":"r"},{"inptu":1,"role":""}]})")});
  CHECK(got.code == 2);
  CHECK(got.errors.find("/tasks/0") != std::string::npos);
  CHECK(got.errors.find("/tasks/1") != std::string::npos);
  CHECK(run_client(node, {"submit", here.path("none")}).code == 2);
  CHECK(run_client(node, {"submit", here.path()}).code == 2);
  CHECK(run_client(node, {"submit", here.write("empty", "")}).code == 2);
  CHECK(run_client(node, {"submit"}).code == 2);
  CHECK(run_client(node, {"submit", "x", "--role", "r"}).code == 2);
  CHECK(run_client(node, {"submit", "x", "--timeout", "5s"}).code == 2);
  CHECK(run_client(node, {"submit", "x", "--wait", "--timeout", "5"}).code == 2);
  CHECK(node.requests().empty());
}

TEST_CASE("lines are sent in pieces, and each answer is told with its line's number") {
  folder here;
  scripted_node node;
  node.on("POST /v1/tasks", accept_lines);
  std::string text = "\n";
  for (int i = 2; i <= 2'500; ++i)
    text += json{{"role", i == 2'222 ? "bad" : "r"}, {"input", i}, {"task_id", std::to_string(i)}}
                .dump() +
            "\n";
  auto got = run_client(node, {"submit", here.write("t.ndjson", text)});
  CHECK(got.code == 1);
  CHECK(std::count(got.output.begin(), got.output.end(), '\n') == 2'498);
  CHECK(got.output.starts_with("2\n3\n"));
  CHECK(got.output.ends_with("\n2500\n"));
  CHECK(got.errors.find("t.ndjson: line 2222: no such role (unknown_role)") != std::string::npos);
  CHECK(got.errors.find("2498 tasks accepted, 1 refused") != std::string::npos);
  CHECK(node.requests().size() == 3);
  CHECK(node.header("Content-Type") == "application/x-ndjson");
  auto lines = run_client(node, {"submit", here.write("t.ndjson", task + "\n" + task), "--json"});
  CHECK(lines.output == "{\"line\":1,\"task_id\":\"id\"}\n{\"line\":2,\"task_id\":\"id\"}\n");
}

TEST_CASE("an answer to lines that is cut says which have no answer") {
  folder here;
  scripted_node node;
  auto answer = GENERATE(std::string{"{\"line\":1,\"task_id\":\"a\"}\n"},
                         std::string{"{\"line\":1,\"task_id\":\"a\"}\n{\"line\":9}\n"});
  node.on("POST /v1/tasks", 200, answer, "application/x-ndjson");
  auto got = run_client(node, {"submit", here.write("t", task + "\n\n" + task + "\n")});
  CHECK(got.code == 1);
  CHECK(got.output == "a\n");
  CHECK(got.errors.find("lines 3 to 3 have no answer") != std::string::npos);
}

TEST_CASE("with --wait the tasks are followed to their ends, and the report has their outputs") {
  folder here;
  scripted_node node;
  serve_stats(node, 3);
  node.on("POST /v1/tasks", 201,
          json{{"tasks", {task_view("a", "submitted", 0), task_view("b", "submitted", 0)}}}.dump());
  node.on("GET /v1/tasks/a", 200, task_view("a", "submitted", 0).dump());
  node.on("GET /v1/tasks/b", 200, task_view("b", "submitted", 0).dump());
  auto file = here.write("t.json", "[" + task + "," + task + "]");
  auto as_json = GENERATE(false, true);
  std::vector<std::string> arguments{"submit", file, "--wait", "--node", node.url()};
  if (as_json)
    arguments.push_back("--json");
  program child{arguments};
  node.await_reader();
  node.send_event("task", 101, task_view("a", "working"));
  auto view = task_view("a", "completed");
  node.on("GET /v1/tasks/a", 200, view.dump());
  node.on("GET /v1/tasks/b", 200, task_view("b", "failed", 2).dump());
  view.erase("output");
  node.send_event("task", 102, view);
  node.send_event("task", 103, task_view("b", "failed", 2));
  auto got = ended(child);
  INFO(got.errors << got.output);
  CHECK(got.code == 1);
  if (as_json) {
    auto report = got.report();
    CHECK(report["tasks"][0]["output"] == "out of a");
    CHECK(report["tasks"][1]["error"]["code"] == "agent_failed");
    CHECK(report["summary"]["completed"] == 1);
    CHECK(report["summary"]["retries"] == 1);
    CHECK(report["summary"]["agents_spawned"] == 0);
  } else {
    CHECK(got.output.starts_with("2 tasks\n"));
    CHECK(got.output.find("completed a role=r agent=agent-1 attempt=1 time=15ms: out of a") !=
          std::string::npos);
    CHECK(got.output.find("succeeded 1, failed 1, canceled 0 of 2 tasks") != std::string::npos);
  }
}

TEST_CASE("a node that goes and comes back does not end the wait") {
  folder here;
  scripted_node node;
  serve_stats(node, 0);
  node.on("POST /v1/tasks", 201, json{{"tasks", {task_view("a", "submitted", 0)}}}.dump());
  node.on("GET /v1/tasks/a", 200, task_view("a", "submitted", 0).dump());
  program child{{"submit", here.write("t.json", "[" + task + "]"), "--wait", "--node", node.url()}};
  node.await_reader();
  node.stop();
  node.start_again();
  node.await_reader();
  // Not before: a question that the stop left open would be answered, and end the wait too early.
  node.on("GET /v1/tasks/a", 200, task_view("a", "completed").dump());
  node.send("event: gap\ndata: {\"missed_after\":\"1\",\"oldest\":\"90\"}\n\n");
  auto got = ended(child);
  CHECK(got.code == 0);
  CHECK(got.errors.find("lost the node") != std::string::npos);
  CHECK(got.errors.find("is back") != std::string::npos);
}

TEST_CASE("a gap in the events is made up for by asking") {
  folder here;
  scripted_node node;
  serve_stats(node, 0);
  node.on("POST /v1/tasks", 201, json{{"tasks", {task_view("a", "submitted", 0)}}}.dump());
  auto asked = std::make_shared<std::promise<void>>();
  node.on("GET /v1/tasks/a", [&node, asked](const scripted_node::exchange& call) {
    call->respond({200, {}, task_view("a", "submitted", 0).dump()});
    node.on("GET /v1/tasks/a", 200, task_view("a", "completed").dump());
    asked->set_value();
  });
  program child{{"submit", here.write("t.json", "[" + task + "]"), "--wait", "--node", node.url()}};
  node.await_reader();
  asked->get_future().wait();
  node.send("event: gap\ndata: {\"missed_after\":\"1\",\"oldest\":\"90\"}\n\n");
  CHECK(ended(child).code == 0);
}

TEST_CASE("Ctrl-C ends the wait, not the tasks; so does the timeout") {
  folder here;
  scripted_node node;
  serve_stats(node, 0);
  node.on("POST /v1/tasks", 201, json{{"tasks", {task_view("a", "submitted", 0)}}}.dump());
  node.on("GET /v1/tasks/a", 200, task_view("a", "working").dump());
  auto file = here.write("t.json", "[" + task + "]");
  program child{{"submit", file, "--wait", "--node", node.url()}};
  node.await_reader();
  ::kill(child.pid(), SIGINT);
  auto got = ended(child);
  CHECK(got.code == 130);
  CHECK(got.errors.find("interrupted: 1 task goes on") != std::string::npos);
  auto late = run_client(node, {"submit", file, "--wait", "--timeout", "200ms"});
  CHECK(late.code == 1);
  CHECK(late.errors.find("not all tasks ended within 200ms: 1 task goes on") != std::string::npos);
}
