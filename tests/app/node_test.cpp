// `rolecall node` as it is operated: started, asked, told to end. What its API answers is held
// against its description in tests/api.
#include "tests/app/node_fixture.hpp"
#include "tests/net/certificates.hpp"

#include "app/tokens.hpp"

#include <csignal>

using namespace rolecall;
using namespace rolecall::tests;
using json = nlohmann::json;

namespace {

ended_run run_node(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "node");
  program child{std::move(arguments)};
  auto output = child.rest_of_output();
  auto code = child.exit_code();
  return {code, std::move(output), child.errors()};
}

} // namespace

TEST_CASE("a node takes a task, has it run, and shows what came of it") {
  node_process node;
  auto done = node.call("POST", "/v1/tasks?wait=30s", task_of("echo", "t"));
  CHECK(done.status == 201);
  CHECK(net::find_header(done.headers, "Location") == "/v1/tasks/t");
  auto view = done.parsed();
  CHECK(view["state"] == "completed");
  CHECK(view["output"]["input"] == 1);
  CHECK(view["history"].size() == 1);
  auto why = node.call("GET", "/v1/tasks/t/why").parsed();
  CHECK(why["chosen"] == view["agent_id"]);
  CHECK(node.call("GET", "/readyz").status == 200);
}

TEST_CASE("a node of several threads takes tasks through all of them, and ends in order") {
  node_process node{{{"node", {{"threads", 4}}}}};
  std::vector<std::future<net::http_result>> running;
  for (int i = 0; i < 40; ++i)
    running.push_back(
        node.begin("POST", "/v1/tasks?wait=60s", task_of("echo", "t" + std::to_string(i))));
  for (auto& each : running)
    CHECK(node_process::end(std::move(each)).parsed()["state"] == "completed");
  CHECK(node.call("GET", "/v1/stats").parsed()["tasks"]["completed"] == 40);
  node.signal(SIGTERM);
  CHECK(node.node->exit_code() == 0);
}

TEST_CASE("a request that waits is answered when its time is over, with the task as it stands") {
  node_process node;
  auto early = node.call("POST", "/v1/tasks?wait=50ms", task_of("wait", "t")).parsed();
  CHECK((early["state"] == "working" || early["state"] == "submitted"));
  auto late = node.begin("GET", "/v1/tasks/t?wait=60s");
  node.go();
  auto ended = node_process::end(std::move(late)).parsed();
  CHECK(ended["state"] == "completed");
}

TEST_CASE("told to end, a node takes no new tasks and lets those that it has end") {
  node_process node;
  auto running = node.begin("POST", "/v1/tasks?wait=60s", task_of("wait", "t"));
  while (node.call("GET", "/v1/stats").parsed()["tasks"]["working"] != 1)
    continue;
  node.signal(SIGTERM);
  while (node.call("GET", "/readyz").status != 503)
    continue;
  auto refused = node.call("POST", "/v1/tasks", task_of("echo"));
  CHECK(refused.status == 503);
  CHECK(refused.code() == "shutting_down");
  node.go();
  auto ended = node_process::end(std::move(running)).parsed();
  CHECK(ended["state"] == "completed");
  CHECK(node.node->exit_code() == 0);
}

TEST_CASE("a second signal cancels what runs, and the node still ends in order") {
  node_process node;
  auto running = node.begin("POST", "/v1/tasks?wait=60s", task_of("wait", "t"));
  while (node.call("GET", "/v1/stats").parsed()["tasks"]["working"] != 1)
    continue;
  node.signal(SIGTERM);
  while (node.call("GET", "/readyz").status != 503)
    continue;
  node.signal(SIGTERM);
  auto ended = node_process::end(std::move(running)).parsed();
  CHECK(ended["state"] == "canceled");
  CHECK(node.node->exit_code() == 0);
}

TEST_CASE("what does not end within the drain time is canceled") {
  node_process node{{{"node", {{"drain_timeout", "50ms"}}}}};
  auto running = node.begin("POST", "/v1/tasks?wait=60s", task_of("wait", "t"));
  while (node.call("GET", "/v1/stats").parsed()["tasks"]["working"] != 1)
    continue;
  node.signal(SIGINT);
  auto ended = node_process::end(std::move(running)).parsed();
  CHECK(ended["state"] == "canceled");
  CHECK(node.node->exit_code() == 0);
}

TEST_CASE("every mistake of a configuration is told, and nothing is started") {
  folder here;
  auto file = here.write("node.json", R"({
    "nodes": {}, "node": {"name": "", "drain_timeout": "soon"},
    "api": {"listen": "0.0.0.0", "max_body_bytes": 1, "cors_origins": ["example.org"],
            "tls": {"key": "k.pem"}, "rate_limit": {"burst": 0}},
    "log": {"level": "loud"}, "tracing": {"otlp_url": "ftp://x"}})");
  auto ended = run_node({"--config", file});
  CHECK(ended.code == 2);
  CHECK(ended.output.empty());
  INFO(ended.errors);
  CHECK(std::count(ended.errors.begin(), ended.errors.end(), '\n') == 10);
  for (const auto* where : {"/nodes", "/node/name", "/node/drain_timeout", "/api/listen",
                            "/api/max_body_bytes", "/api/cors_origins", "/api/tls/certificate",
                            "/api/rate_limit/burst", "/log/level", "/tracing/otlp_url"})
    CHECK(ended.errors.find(where) != std::string::npos);
}

TEST_CASE("a node that others can reach needs tokens and TLS, or the word that it does not") {
  folder here;
  auto refused = run_node({"--listen", "0.0.0.0:0"});
  CHECK(refused.code == 2);
  CHECK(refused.errors.find("tokens (/api/tokens) and TLS (/api/tls)") != std::string::npos);
  auto half = run_node({"--config", here.write("node.json", R"({"api":{"listen":"0.0.0.0:0",
    "tokens":"tokens.json"}})")});
  CHECK(half.code == 2);
  CHECK(half.errors.find("needs TLS") != std::string::npos);
  node_process meant{{{"api", {{"listen", "0.0.0.0:0"}, {"insecure", true}}}}};
  CHECK(meant.url.starts_with("http://0.0.0.0:"));
}

TEST_CASE("a port that is taken, and a token file that cannot be used, are told") {
  node_process node;
  auto port = node.url.substr(node.url.rfind(':'));
  auto taken = run_node({"--listen", "127.0.0.1" + port, "--config", node.here.path("node.json")});
  CHECK(taken.code == 1);
  CHECK(taken.errors.find("cannot listen on 127.0.0.1" + port) != std::string::npos);
  folder here;
  auto no_tokens =
      run_node({"--config", here.write("a.json", R"({"api":{"tokens":"/nowhere.json"}})")});
  CHECK(no_tokens.code == 2);
  CHECK(no_tokens.errors.find("/nowhere.json") != std::string::npos);
  auto no_tls = run_node({"--config", here.write("b.json", R"({"api":{"listen":"127.0.0.1:0",
    "tls":{"certificate":"/nowhere.pem","key":"/nowhere.key"}}})"),
                          "--journal", ""});
  CHECK(no_tls.code == 1);
  CHECK(no_tls.errors.find("/nowhere.pem") != std::string::npos);
}

TEST_CASE("a node with TLS and tokens serves who has one; a token that is revoked is refused") {
  folder here;
  net::test::authority ca;
  auto self = ca.issue("DNS:localhost,IP:127.0.0.1");
  auto entries = [](const std::string& right) {
    return to_text(token_set{{{"ci", *parse_right(right), hash_of("the-token")}}});
  };
  auto tokens = here.write("tokens.json", entries("submit"));
  node_process node{{{"api",
                      {{"tokens", tokens},
                       {"tls",
                        {{"certificate", here.write("cert.pem", self.certificate)},
                         {"key", here.write("key.pem", self.key)}}}}}},
                    ca.file()};
  CHECK(node.url.starts_with("https://127.0.0.1:"));
  net::headers with_token{{"Authorization", "Bearer the-token"}};
  CHECK(node.call("GET", "/healthz").status == 200);
  CHECK(node.call("GET", "/v1/tasks").status == 401);
  CHECK(node.call("GET", "/metrics").status == 401);
  CHECK(node.call("POST", "/v1/tasks?wait=30s", task_of("echo"), with_token).status == 201);
  CHECK(node.call("POST", "/v1/agents", {{"role", "echo"}}, with_token).status == 403);
  here.write("tokens.json", entries("read"));
  node.signal(SIGHUP);
  while (node.call("POST", "/v1/tasks", task_of("echo"), with_token).status != 403)
    continue;
  here.write("tokens.json", "nonsense"); // changes nothing
  node.signal(SIGHUP);
  CHECK(node.call("GET", "/v1/tasks", nullptr, with_token).status == 200);
  node.signal(SIGTERM);
  CHECK(node.node->exit_code() == 0);
  auto log = node.node->errors();
  CHECK(log.find("the-token") == std::string::npos);
  CHECK(log.find("tokens_reloaded") != std::string::npos);
}

TEST_CASE("the log is a line of JSON an event, with the task's id and without its payload") {
  node_process node{{{"log", {{"level", "debug"}}}}};
  auto task = task_of("echo", "t");
  task["input"] = "very private";
  node.call("POST", "/v1/tasks?wait=30s", task);
  node.signal(SIGTERM);
  CHECK(node.node->exit_code() == 0);
  auto log = node.node->errors();
  CHECK(log.find("very private") == std::string::npos);
  std::vector<std::string> events;
  std::istringstream lines{log};
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with('{'))
      continue; // before the log is set up
    auto parsed = json::parse(line);
    if (parsed.contains("task_id"))
      events.push_back(parsed["event"]);
  }
  CHECK(events == std::vector<std::string>{"task_submitted", "task_working", "task_completed"});
}
