// What an attempt leaves behind: its receipt, and word to the service if it was ended early.
#include "actors/workers/cancel_line.hpp"
#include "actors/workers/receipts.hpp"
#include "net/sha256.hpp"
#include "tests/support/actor_fixture.hpp"

#include <catch2/catch.hpp>

using namespace rolecall;
using namespace rolecall::tests;

namespace {

struct exchange_fixture : actor_fixture {
  exchange_fixture() {
    pool_options options;
    options.worker.node = "here";
    pl = keep(system.spawn(pool, client, options));
  }

  static attempt_request request_for(const std::string& task) {
    attempt_request request;
    request.task = task_id{task};
    request.attempt = 3;
    request.agent = make_agent("a/1").key;
    request.max_concurrency = 10'000;
    request.service_url = "http://service";
    request.role = role_name{"reviewer"};
    request.input = json_text{R"({"z":1,"a":[2.50]})"};
    request.timeout = millis{60'000};
    return request;
  }

  void execute(const attempt_request& request) {
    self->send(pl, atom::execute_v, request, me<outcome_listener_actor>());
    run();
  }
  void execute(const std::string& task) { execute(request_for(task)); }

  void cancel(const std::string& task) {
    self->send(pl, atom::cancel_v, task_id{task}, std::uint32_t{3});
    run();
  }

  attempt_outcome outcome() {
    auto all = take<attempt_outcome>();
    REQUIRE(all.size() == 1);
    return all.front();
  }

  /// "METHOD URL" of the requests, executions left out.
  std::vector<std::string> told() const {
    auto lines = client->history;
    std::erase_if(lines, [](const auto& line) { return line.ends_with("/execute"); });
    return lines;
  }

  std::shared_ptr<scripted_client> client = std::make_shared<scripted_client>();
  pool_actor pl;
};

} // namespace

// -- receipts
// ----------------------------------------------------------------------------------------

TEST_CASE_METHOD(exchange_fixture, "an outcome has the receipt of its exchange") {
  execute("t");
  auto sent = client->find("/execute")->body();
  const std::string answer = R"({"status":"completed","output": 1})";
  client->answer("/execute", net::http_response{200, {}, answer, std::chrono::microseconds{1'234}});
  auto receipt = *outcome().receipt;
  CHECK(receipt.node == "here");
  CHECK(receipt.url == "http://service/agents/a%2F1/execute");
  CHECK(receipt.http_status == 200);
  CHECK(receipt.first_byte == micros{1'234});
  CHECK(receipt.request_bytes == sent.size());
  CHECK(receipt.request_sha256 == net::sha256_hex(sent));
  CHECK(receipt.answer_bytes == answer.size());
  CHECK(receipt.answer_sha256 == net::sha256_hex(answer));
}

TEST_CASE_METHOD(exchange_fixture, "a refusal, and half an answer, leave a receipt as well") {
  execute("t");
  bool half = GENERATE(false, true);
  net::http_response came{503, {}, "{\"er", {}};
  if (half)
    client->answer("/execute", net::http_failure{net::http_errc::connection_lost, "lost", came});
  else
    client->answer("/execute", came);
  auto receipt = *outcome().receipt;
  CHECK(receipt.http_status == 503);
  CHECK(receipt.answer_bytes == 4);
  CHECK(receipt.answer_sha256 == net::sha256_hex("{\"er"));
}

TEST_CASE_METHOD(exchange_fixture, "where no answer came, a receipt tells what was sent") {
  execute("t");
  auto sent = client->find("/execute")->body();
  client->answer("/execute", net::http_failure{net::http_errc::connect_failed, "refused"});
  auto receipt = *outcome().receipt;
  CHECK(receipt.request_sha256 == net::sha256_hex(sent));
  CHECK(receipt.http_status == 0);
  CHECK(receipt.first_byte == micros{0});
  CHECK(receipt.answer_bytes == 0);
  CHECK(receipt.answer_sha256.empty());
}

TEST_CASE("no secret of a URL gets into a receipt") {
  auto url_in = [](const std::string& url) {
    net::http_request request;
    request.url = url;
    return receipt_of(request, "here").url;
  };
  CHECK(url_in("http://user:password@host:80/a/execute") == "http://host:80/a/execute");
  CHECK(url_in("http://p@ss@host/a@b") == "http://host/a@b");
  CHECK(url_in("https://token@host") == "https://host");
  CHECK(url_in("https://host/a?key=secret#secret") == "https://host/a");
}

// -- the body
// ----------------------------------------------------------------------------------------

TEST_CASE_METHOD(exchange_fixture, "payloads go into the body as they are") {
  auto request = request_for("t");
  execute(request);
  auto body = client->find("/execute")->body();
  CHECK(body.find(R"("input":{"z":1,"a":[2.50]})") != std::string::npos);
  CHECK_FALSE(nlohmann::json::parse(body).contains("dependencies"));
  CHECK_FALSE(nlohmann::json::parse(body).contains("deadline_ms"));
  client->answer("/execute", 200, R"({"status":"completed","output":1})");
  run();
  request.dependencies = json_text{R"({"z":"out","a": 1.50})"};
  request.deadline = millis{4'500};
  execute(request);
  body = client->find("/execute")->body();
  CHECK(body.find(R"("dependencies":{"z":"out","a": 1.50})") != std::string::npos);
  CHECK(nlohmann::json::parse(body)["deadline_ms"] == 4'500);
}

// -- ended early
// -------------------------------------------------------------------------------------

TEST_CASE_METHOD(exchange_fixture, "a cancel closes the connection, then tells the service") {
  std::size_t canceled_before = 0;
  client->script = [&](const net::http_request& request) -> std::optional<net::http_result> {
    if (request.method != "DELETE")
      return std::nullopt;
    canceled_before = client->canceled.size();
    CHECK(request.url == "http://service/agents/a%2F1/tasks/t%201");
    CHECK(net::find_header(request.headers, "Rolecall-Attempt") == "3");
    return net::http_response{404, {}, "{}"};
  };
  execute("t 1");
  cancel("t 1");
  CHECK(canceled_before == 1);
  CHECK(told().size() == 1);
  CHECK(outcome().verdict == verdict::canceled);
}

TEST_CASE_METHOD(exchange_fixture, "a service is told when the attempt's time is up") {
  execute("t");
  client->answer("/execute", net::http_failure{net::http_errc::timeout, "no answer"});
  CHECK(outcome().error.kind == ec::timeout);
  CHECK(told() == std::vector<std::string>{"DELETE http://service/agents/a%2F1/tasks/t"});
}

TEST_CASE_METHOD(exchange_fixture, "of an attempt that was answered, or lost, nobody is told") {
  execute("t");
  bool lost = GENERATE(false, true);
  if (lost)
    client->answer("/execute", net::http_failure{net::http_errc::connection_lost, "lost"});
  else
    client->answer("/execute", 504, "{}");
  cancel("t");
  CHECK(told().empty());
}

TEST_CASE_METHOD(exchange_fixture, "a pool that ends closes what runs, then tells the services") {
  execute("1");
  execute("2");
  caf::anon_send_exit(pl, caf::exit_reason::user_shutdown);
  run();
  CHECK(client->canceled.size() == 2);
  CHECK(told().size() == 2);
  CHECK(take<attempt_outcome>().size() == 2);
}

TEST_CASE_METHOD(exchange_fixture, "a service that does not know the request is not asked again") {
  auto status = GENERATE(405u, 501u);
  execute("1");
  cancel("1");
  REQUIRE(client->answer("DELETE", status, "{}"));
  execute("2");
  cancel("2");
  CHECK(told().size() == 1);
  auto elsewhere = request_for("3");
  elsewhere.service_url = "http://other";
  execute(elsewhere);
  cancel("3");
  CHECK(told().back() == "DELETE http://other/agents/a%2F1/tasks/3");
}

TEST_CASE_METHOD(exchange_fixture, "a 404 only says that this task has ended already") {
  execute("1");
  cancel("1");
  REQUIRE(client->answer("DELETE", 404, "{}"));
  execute("2");
  cancel("2");
  CHECK(told().size() == 2);
}

TEST_CASE_METHOD(exchange_fixture, "a thousand cancels take few connections, and none for long") {
  for (int i = 0; i < 1'000; ++i)
    execute(std::to_string(i));
  for (int i = 0; i < 1'000; ++i)
    cancel(std::to_string(i));
  const cancel_options bounds;
  CHECK(client->waiting("/execute") == 0);
  CHECK(client->waiting("DELETE") == bounds.max_in_flight);
  CHECK(client->find("DELETE")->request.timeout == bounds.timeout);
  REQUIRE(client->answer("DELETE", 204, ""));
  run();
  CHECK(client->waiting("DELETE") == bounds.max_in_flight); // the next one
  advance(bounds.patience);
  while (client->answer("DELETE", 204, ""))
    run();
  CHECK(told().size() == bounds.max_in_flight + 1); // the others have waited for too long
  execute("again");
  cancel("again");
  CHECK(client->waiting("DELETE") == 1);
}

TEST_CASE("past its bound the line drops who has waited longest") {
  cancel_line line{{.max_in_flight = 1, .max_waiting = 2}};
  auto notice = [](const char* task) {
    return cancel_notice{"s", agent_id{"a"}, task_id{task}, 1};
  };
  for (const auto* task : {"1", "2", "3"})
    line.add(notice(task), {});
  CHECK(line.next("s", {})->task == task_id{"2"});
  CHECK_FALSE(line.next("s", {}));
  line.ended("s", 204);
  CHECK(line.next("s", {})->task == task_id{"3"});
  line.ended("s", 0);
  CHECK(line.idle());
}
