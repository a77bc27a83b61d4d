// The commands that ask a node one thing: what they send, what they print, how they fail.
#include "tests/app/client_fixture.hpp"
#include "tests/net/raw_socket.hpp"

using namespace rolecall::tests;
using rolecall::net::test::raw_server;
using rolecall::net::test::raw_socket;
using json = nlohmann::json;

namespace {

/// What `list` makes of these bytes as the whole answer.
ended_run list_against(const std::string& bytes) {
  raw_server server{[bytes](raw_socket& socket, int) {
    socket.read_until("\r\n\r\n");
    socket.send(bytes);
  }};
  program child{{"list", "--node", server.url("")}};
  return ended(child);
}

std::string with_length(const std::string& body, const std::string& type = "application/json") {
  return "HTTP/1.1 200 OK\r\nContent-Type: " + type +
         "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

} // namespace

TEST_CASE("get prints a line for each task in a pipe, and the node's JSON if asked") {
  scripted_node node;
  auto view = task_view("a/b", "completed");
  node.on("GET /v1/tasks/a%2Fb", 200, view.dump());
  auto plain = run_client(node, {"get", "a/b"});
  CHECK(plain.code == 0);
  CHECK(plain.output == "task\tstate\trole\tagent\ttries\tqueued\trun\tsubmitted\terror\n"
                        "a/b\tcompleted\tr\tagent-1\t1\t2ms\t15ms\t2026-11-24T13:00:00.000Z\t\n");
  CHECK(plain.errors.empty());
  CHECK(run_client(node, {"get", "a/b", "--json"}).report() == view);
  node.on("GET /v1/tasks/c", 200, task_view("c", "failed").dump());
  auto both = run_client(node, {"get", "a/b", "c", "--json"}).report();
  CHECK(both["tasks"].size() == 2);
}

TEST_CASE("get --receipts shows a block for each attempt") {
  scripted_node node;
  auto view = task_view("a", "completed", 2);
  view["history"] = json::parse(R"([
    {"attempt":1,"agent_id":"c1","service":"local","started_at":"2026-11-24T13:00:00.000Z",
     "run_ms":3,"verdict":"retryable","error":{"code":"connect_failed","message":"refused"}},
    {"attempt":2,"agent_id":"c2","service":"local","started_at":"2026-11-24T13:00:01.000Z",
     "run_ms":15,"verdict":"completed","receipt":{"node":"n","url":"http://s/agents/c2/execute",
     "http_status":200,"first_byte_ms":14.8,"request_bytes":80,"answer_bytes":33,
     "request_sha256":"aa11","answer_sha256":"bb22"}}])");
  node.on("GET /v1/tasks/a", 200, view.dump());
  node.on("GET /v1/tasks/b", 200, task_view("b", "submitted", 0).dump());
  auto got = run_client(node, {"get", "a", "b", "--receipts"});
  CHECK(got.code == 0);
  CHECK(got.output == R"(a, attempt 1: retryable
  agent       c1
  service     local
  start       2026-11-24T13:00:00.000Z
  end         3ms after the start
  receipt     none
a, attempt 2: completed
  agent       c2
  service     local
  node        n
  url         http://s/agents/c2/execute
  start       2026-11-24T13:00:01.000Z
  first byte  14.800ms after the start
  end         15ms after the start
  status      200
  request     80 bytes, SHA-256 aa11
  answer      33 bytes, SHA-256 bb22
b: no attempt yet
)");
  CHECK(run_client(node, {"get", "a", "--receipts", "--json"}).report() == view);
}

TEST_CASE("get tells which task is unknown, and shows the others") {
  scripted_node node;
  node.on("GET /v1/tasks/a", 200, task_view("a", "completed").dump());
  node.on("GET /v1/tasks/b", 404, R"({"detail":"no task \"b\"","code":"unknown_task"})",
          "application/problem+json");
  auto got = run_client(node, {"get", "b", "a"});
  CHECK(got.code == 1);
  CHECK(got.errors == "rolecall: b: no task \"b\" (unknown_task)\n");
  CHECK(got.output.find("a\tcompleted") != std::string::npos);
}

TEST_CASE("list sends its filters and follows the pages") {
  scripted_node node;
  node.on("GET /v1/tasks", [](const scripted_node::exchange& call) {
    auto second = call->query().find("cursor=next") != std::string::npos;
    json answer{{"tasks", {task_view(second ? "t2" : "t1", "working")}}};
    if (!second)
      answer["next_cursor"] = "next";
    call->respond({200, {{"Content-Type", "application/json"}}, answer.dump()});
  });
  auto one = run_client(node, {"list", "--limit", "1", "--role", "a b", "--state", "working,failed",
                               "--label", "team:x", "--label", "y"});
  CHECK(one.code == 0);
  CHECK(one.errors.find("there are more") != std::string::npos);
  CHECK(node.requests().front() == "GET /v1/tasks?limit=1&role=a%20b&state=working%2Cfailed&"
                                   "label=team%3Ax&label=y");
  auto all = run_client(node, {"list", "--all", "--json"}).report();
  CHECK(all["tasks"].size() == 2);
  CHECK_FALSE(all.contains("next_cursor"));
}

TEST_CASE("cancel and retry act on each task, and why explains one") {
  scripted_node node;
  node.on("POST /v1/tasks/a/cancel", 200, task_view("a", "canceled").dump());
  node.on("POST /v1/tasks/a/retry", 201, task_view("a2", "submitted", 0).dump());
  node.on("GET /v1/tasks/a/why", 200,
          R"({"task_id":"a","state":"submitted","explanation":"waits: all are busy","position":3,
          "waiting":17,"candidates":[{"agent_id":"c1","service":"local","eligible":false,
          "chosen":false,"note":"at its limit","free_slots":0,"in_flight":1,"max_concurrency":1,
          "success_rate":1.0,"latency_ms":15.2}],"omitted":2})");
  CHECK(run_client(node, {"cancel", "a"}).output.find("a\tcanceled") != std::string::npos);
  CHECK(run_client(node, {"retry", "a"}).output.find("a2\tsubmitted") != std::string::npos);
  auto why = run_client(node, {"why", "a"});
  CHECK(why.code == 0);
  CHECK(why.output.starts_with("a (submitted): waits: all are busy\n  place 3 of 17 that wait\n"));
  CHECK(why.output.find('\x1b') == std::string::npos);
  CHECK(why.output.find("at its limit") != std::string::npos);
  CHECK(why.output.ends_with("and 2 more agents\n"));
}

TEST_CASE("the token comes from the environment or a file, and is never shown") {
  scripted_node node;
  node.on("GET /v1/tasks", 401, R"({"detail":"a token is needed","code":"unauthorized"})",
          "application/problem+json");
  folder here;
  {
    environment token{"ROLECALL_TOKEN", "sesame-1"};
    auto got = run_client(node, {"list"});
    CHECK(got.code == 1);
    CHECK(got.errors.find("a token is needed (unauthorized)") != std::string::npos);
    CHECK(got.errors.find("--token-file") != std::string::npos);
    CHECK(got.errors.find("sesame") == std::string::npos);
    CHECK(node.header("Authorization") == "Bearer sesame-1");
    run_client(node, {"list", "--token-file", here.write("token", "sesame-2\n")});
    CHECK(node.header("Authorization") == "Bearer sesame-2");
  }
  run_client(node, {"list"});
  CHECK(node.header("Authorization").empty());
  for (const auto* wrong : {"", "two words", "b\xc3\xa4ng"}) {
    auto got = run_client(node, {"list", "--token-file", here.write("token", wrong)});
    CHECK(got.code == 2);
    CHECK(got.errors.find("--token-file: ") != std::string::npos);
  }
  CHECK(run_client(node, {"list", "--token-file", here.path("none")}).code == 2);
}

TEST_CASE("a node's problem is told with all its errors, and wrong input exits with 2") {
  scripted_node node;
  node.on("GET /v1/tasks", 400, R"({"detail":"wrong query","code":"invalid_parameter",
    "errors":[{"parameter":"label","detail":"is empty"},{"parameter":"role","detail":"too long"}]})",
          "application/problem+json");
  auto got = run_client(node, {"list"});
  CHECK(got.code == 2);
  CHECK(got.errors == "rolecall list: wrong query (invalid_parameter)\n"
                      "rolecall list:   label: is empty\n"
                      "rolecall list:   role: too long\n");
}

TEST_CASE("wrong options are refused with words before anything is sent") {
  scripted_node node;
  CHECK(run_client(node, {"list", "--state", "compleed"})
            .errors.find("did you mean \"completed\"?") != std::string::npos);
  CHECK(run_client(node, {"list", "--limit", "0"}).code == 2);
  CHECK(run_client(node, {"list", "--limit", "5", "--all"}).code == 2);
  CHECK(run_client(node, {"get"}).code == 2);
  CHECK(run_client(node, {"get", ""}).code == 2);
  CHECK(run_client(node, {"list", "--ca", "/nowhere/ca.pem"}).code == 2);
  CHECK(node.requests().empty());
  for (const auto* url : {"nonsense", "ftp://x", "http://", "http://u:secret@h", "http://h?a=b"}) {
    program child{{"list", "--node", url}};
    auto got = ended(child);
    CHECK(got.code == 2);
    CHECK(got.errors.starts_with("rolecall list: --node: "));
    CHECK(got.errors.find("secret") == std::string::npos);
  }
  environment variable{"ROLECALL_NODE", "nonsense"};
  program child{{"list"}};
  auto got = ended(child);
  CHECK(got.code == 2);
  CHECK(got.errors.find("ROLECALL_NODE") != std::string::npos);
}

TEST_CASE("a node that is not there is told at once, with what to do") {
  program child{
      {"list", "--node", "http://127.0.0.1:" + std::to_string(rolecall::net::test::unused_port())}};
  auto got = ended(child);
  CHECK(got.code == 1);
  CHECK(got.errors.find("Connection refused") != std::string::npos);
  CHECK(got.errors.find("rolecall node") != std::string::npos);
}

TEST_CASE("an answer that is no node's is told in a few words, and is a failure") {
  auto [bytes, word] = GENERATE(table<std::string, std::string>({
      {with_length("{\"tasks\": ["), "is not complete"},
      {with_length("<html>hello</html>", "text/html"), "is not JSON"},
      {with_length(""), "is empty"},
      {with_length("[]"), "no list \"tasks\""},
      {with_length("{\"tasks\":{}}"), "no list \"tasks\""},
      {with_length(std::string(100'000, '[')), "nested deeper"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"tasks\"", "before the end"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", "is over"},
      {"HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n", "redirects"},
      {"HTTP/1.1 502 Bad\r\nContent-Length: 6\r\n\r\n<html>", "HTTP status 502"},
      {"SSH-2.0-OpenSSH_9.2\r\n", "malformed"},
      {"", "closed the connection"},
  }));
  auto got = list_against(bytes);
  INFO(got.errors);
  CHECK(got.code == 1);
  CHECK(got.output.empty());
  CHECK(got.errors.find(word) != std::string::npos);
  CHECK(got.errors.size() < 500);
}

TEST_CASE("what agents say does not steer the terminal or break a line") {
  scripted_node node;
  auto view = task_view("a", "failed");
  view["error"]["message"] = "x\x1b[2J\ty\nz";
  node.on("GET /v1/tasks/a", 200, view.dump());
  auto got = run_client(node, {"get", "a"});
  CHECK(got.output.ends_with("agent_failed: x [2J y z\n"));
}

TEST_CASE("roles, nodes and stats show what the node tells, also what is not there") {
  scripted_node node;
  node.on("GET /v1/roles", 200,
          R"({"roles":[{"role":"r","service":"s","waiting":3,"skills":{"c":1,"d":0.5},
          "trouble":{"code":"spawn_refused","message":"full"}},{}]})");
  node.on("GET /v1/nodes", 200,
          R"({"nodes":[{"node":"a","state":"ready","version":"1","uptime_ms":65000,"open_tasks":2,
          "agents":3,"services":[{"service":"s","reachable":false,"problem":"refused"}]},
          {"node":"b","state":"ready","version":"1","uptime_ms":5000,"open_tasks":0,"agents":1,
          "services":[{"service":"s","reachable":true,"managed_by":"a"}],
          "link":{"state":"up","address":"h:1","problem":null,"round_trip_ms":1.5,"lag":2,
          "attempts":3,"serving":4}}]})");
  node.on("GET /v1/stats", 200,
          R"({"tasks":{"working":2},"accepted":13,"success_rate":0.909,"latency_ms":{"p50":15.0},
          "node":"a"})");
  auto roles = run_client(node, {"roles"});
  CHECK(roles.code == 0);
  CHECK(roles.output.find("r\ts\t3\t-\t-\t-\t-\t-\t-\t-\t-\t-\t-\tc d\tspawn_refused: full\n") !=
        std::string::npos);
  CHECK(run_client(node, {"roles", "--json"}).report()["roles"].size() == 2);
  auto nodes = run_client(node, {"nodes"});
  CHECK(nodes.output.find("a\tready\t1\t1m 5s\t2\t3\ts (away: refused)\t-\t-\t-\t-\t-\t-\n") !=
        std::string::npos);
  CHECK(nodes.output.ends_with("b\tready\t1\t5s\t0\t1\ts (managed by a)\th:1\t2ms\t2\t3\t4\t-\n"));
  auto stats = run_client(node, {"stats"});
  CHECK(stats.output.find("tasks working\t2\n") != std::string::npos);
  CHECK(stats.output.find("success rate\t90.9 %\n") != std::string::npos);
  CHECK(stats.output.find("latency p99\t-\n") != std::string::npos);
}

TEST_CASE("agents asks a node if it is told of one, and serves otherwise") {
  scripted_node node;
  const std::string agent =
      R"({"agent_id":"a/1","service":"s","node":"n","role":"r","state":"ready",
    "condition":"ok","in_flight":1,"max_concurrency":64,"limit":2,"limit_declared":false,
    "succeeded":5,"failed":0,"success_rate":1.0,"latency_ms":15.2,"last_error":null,"skills":{}})";
  node.on("GET /v1/agents", 200, "{\"agents\":[" + agent + "]}");
  node.on("POST /v1/agents", 201, agent);
  node.on("DELETE /v1/agents/a%2F1", 202, agent);
  auto list = run_client(node, {"agents", "--role", "r", "--state", "ready"});
  CHECK(list.code == 0);
  CHECK(
      list.output.ends_with("a/1\ts\tn\tr\tready\tok\t1/2 (adaptive)\t5\t0\t100.0 %\t15ms\t\t\n"));
  CHECK(node.requests().back() == "GET /v1/agents?limit=1000&role=r&state=ready");
  CHECK(run_client(node, {"agents", "--spawn", "r"}).code == 0);
  CHECK(node.requests().back() == "POST /v1/agents {\"role\":\"r\"}");
  CHECK(run_client(node, {"agents", "--drain", "a/1"}).code == 0);
  CHECK(node.requests().back() == "DELETE /v1/agents/a%2F1");
  CHECK(run_client(node, {"agents", "--roles", "x"}).code == 2); // either the one or the other
  environment variable{"ROLECALL_NODE", node.url()};
  program asks{{"agents", "--json"}};
  CHECK(ended(asks).report()["agents"].size() == 1);
  program asks_too{{"agents"}};
  CHECK(ended(asks_too).code == 0);
  program serves{{"agents", "--listen", "127.0.0.1:0"}};
  CHECK(serves.line().find("listening on") != std::string::npos);
}
