// The commands that act on tasks by what they have in common.
#include "app/client/retry_order.hpp"
#include "app/client/task_text.hpp"
#include "tests/app/client_fixture.hpp"

#include <atomic>

using namespace rolecall::tests;
using json = nlohmann::json;

namespace {

/// In which order tasks are retried; `needs` has the dependencies of each.
std::vector<std::string> order_of(const std::vector<rolecall::client::retry_candidate>& tasks,
                                  const std::map<std::string, std::vector<std::string>>& needs) {
  std::vector<std::string> result;
  rolecall::client::causes_first(
      tasks,
      [&](const std::string& id) {
        auto found = needs.find(id);
        return found == needs.end() ? std::vector<std::string>{} : found->second;
      },
      [&](const std::string& id) {
        result.push_back(id);
        return true;
      });
  return result;
}

} // namespace

TEST_CASE("cancel with a filter or --all asks the node once, and tells how many there were") {
  scripted_node node;
  node.on("POST /v1/tasks/cancel", 200, R"({"canceled":2})");
  auto some = run_client(node, {"cancel", "--role", "r", "--state", "submitted,working", "--label",
                                "team:x", "--context", "c 1"});
  CHECK(some.code == 0);
  CHECK(some.output == "2 tasks canceled\n");
  CHECK(node.requests().back() == "POST /v1/tasks/cancel?role=r&state=submitted%2Cworking&"
                                  "label=team%3Ax&context_id=c%201");
  auto all = run_client(node, {"cancel", "--all", "--json"});
  CHECK(all.report() == json{{"canceled", 2}});
  CHECK(node.requests().back() == R"(POST /v1/tasks/cancel {"all":true})");
}

TEST_CASE("cancel and retry refuse to guess which tasks are meant") {
  scripted_node node;
  for (const std::vector<std::string>& wrong :
       std::vector<std::vector<std::string>>{{"cancel"},
                                             {"cancel", "a", "--all"},
                                             {"cancel", "a", "--role", "r"},
                                             {"cancel", "--role", "r", "--all"},
                                             {"retry"},
                                             {"retry", "a", "--failed"},
                                             {"retry", "--role", "r"},
                                             {"retry", "--failed", "--state", "canceled"},
                                             {"retry", "--state", "failed,completed"}}) {
    auto got = run_client(node, wrong);
    INFO(got.errors);
    CHECK(got.code == 2);
    CHECK(got.errors.starts_with("rolecall " + wrong.front() + ": "));
  }
  CHECK(node.requests().empty());
}

TEST_CASE("retry by a filter goes through all pages, the oldest first, and leaves out what was") {
  scripted_node node;
  node.on("GET /v1/tasks", [](const scripted_node::exchange& call) {
    auto second = call->query().find("cursor=next") != std::string::npos;
    json answer{{"tasks", {task_view(second ? "t1" : "t3", "failed")}}};
    if (second) {
      answer["tasks"].push_back(task_view("t0", "failed"));
      answer["tasks"].back()["retried_as"] = "t9";
    } else {
      answer["tasks"].push_back(task_view("t2", "failed"));
      answer["next_cursor"] = "next";
    }
    call->respond({200, {{"Content-Type", "application/json"}}, answer.dump()});
  });
  for (const std::string id : {"t1", "t3"})
    node.on("POST /v1/tasks/" + id + "/retry", 201, task_view(id + "b", "submitted", 0).dump());
  node.on("POST /v1/tasks/t2/retry", 404, R"({"detail":"no task","code":"unknown_task"})",
          "application/problem+json");
  auto got = run_client(node, {"retry", "--failed", "--role", "r", "--label", "batch:7"});
  CHECK(got.code == 1);
  CHECK(got.output == "t1 -> t1b\nt3 -> t3b\n");
  CHECK(got.errors == "rolecall: t2: no task (unknown_task)\nrolecall: 2 tasks retried\n");
  CHECK(node.requests().front() ==
        "GET /v1/tasks?limit=1000&role=r&state=failed%2Crejected&label=batch%3A7");
  auto lines = run_client(node, {"retry", "--state", "failed", "--json"}).output;
  CHECK(lines.starts_with("{\"task_id\":\"t1\",\"retried_as\":\"t1b\"}\n"));
}

TEST_CASE("retry waits for room in a node that is full") {
  scripted_node node;
  node.on("GET /v1/tasks", 200, json{{"tasks", {task_view("a", "failed")}}}.dump());
  auto asked = std::make_shared<std::atomic<int>>(0);
  node.on("POST /v1/tasks/a/retry", [asked](const scripted_node::exchange& call) {
    if (++*asked == 1)
      return call->respond({429,
                            {{"Content-Type", "application/problem+json"}},
                            R"({"detail":"full","code":"queue_full"})"});
    call->respond(
        {201, {{"Content-Type", "application/json"}}, task_view("b", "submitted", 0).dump()});
  });
  auto got = run_client(node, {"retry", "--failed"});
  CHECK(got.code == 0);
  CHECK(got.output == "a -> b\n");
}

TEST_CASE("a task is retried after those that it depends on") {
  CHECK(order_of({{"a"}, {"b"}}, {}) == std::vector<std::string>{"a", "b"});
  CHECK(order_of({{"c", true}, {"b", true}, {"a"}}, {{"c", {"b", "elsewhere"}}, {"b", {"a"}}}) ==
        std::vector<std::string>{"a", "b", "c"});
  CHECK(order_of({{"d", true}, {"b", true}, {"c", true}, {"a"}},
                 {{"d", {"b", "c"}}, {"b", {"a"}}, {"c", {"a"}}})
            .back() == "d");
  std::vector<rolecall::client::retry_candidate> chain;
  std::map<std::string, std::vector<std::string>> needs;
  for (auto i = 100'000; i > 0; --i) {
    chain.push_back({std::to_string(i), true});
    needs[std::to_string(i)] = {std::to_string(i - 1)};
  }
  CHECK(order_of(chain, needs).front() == "1");
}

TEST_CASE("get shows what a task needs, its deadline and its retry") {
  nlohmann::ordered_json view = task_view("a", "failed");
  view["depends_on"] = {"x", "y"};
  view["retried_as"] = "a2";
  view["deadline_at"] = "2026-11-24T14:00:00.000Z";
  auto text = rolecall::client::task_details(view);
  INFO(text);
  for (const auto* line :
       {"needs      x y", "retried as a2", "deadline   2026-11-24T14:00:00.000Z"})
    CHECK(text.find(line) != std::string::npos);
}
