// Traces: what the collector is sent, and that nobody waits for it.
#include "app/trace_spans.hpp"
#include "net/http_server.hpp"
#include "tests/app/node_fixture.hpp"

#include <condition_variable>
#include <mutex>

using namespace rolecall;
using namespace rolecall::tests;
using json = nlohmann::json;

namespace {

/// A collector that keeps all spans it is sent, and answers as it is told.
class collector {
public:
  collector()
      : server_{loop_.context(), {}, [this](const std::shared_ptr<net::http_exchange>& exchange) {
                  std::lock_guard guard{mutex_};
                  if (exchange->path() == "/v1/traces" && status_ == 200) {
                    auto sent = json::parse(exchange->body());
                    for (const auto& each : sent["resourceSpans"][0]["scopeSpans"][0]["spans"])
                      spans_.push_back(each);
                  }
                  changed_.notify_all();
                  exchange->respond({status_, {}, "{}"});
                }} {}

  std::string url() const { return "http://127.0.0.1:" + std::to_string(server_.port()); }
  std::vector<json> wait_for(std::size_t count) {
    std::unique_lock guard{mutex_};
    REQUIRE(
        changed_.wait_for(guard, std::chrono::seconds{30}, [&] { return spans_.size() >= count; }));
    return spans_;
  }
  void answer(unsigned status) {
    std::lock_guard guard{mutex_};
    status_ = status;
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<json> spans_;
  unsigned status_{200};
  net::event_loop loop_;
  net::http_server server_;
};

} // namespace

TEST_CASE("a task is a span under its client's, and an attempt a span under its task") {
  collector traces;
  node_process node{{{"tracing", {{"otlp_url", traces.url() + "/"}}}}};
  net::headers traced{{"traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}};
  auto done = node.call("POST", "/v1/tasks?wait=30s", task_of("echo", "t"), traced);
  REQUIRE(done.status == 201);
  auto spans = traces.wait_for(2);
  REQUIRE(spans.size() == 2);
  const auto& attempt = spans[0];
  const auto& task = spans[1];
  for (const auto& span : spans)
    CHECK(span["traceId"] == "4bf92f3577b34da6a3ce929d0e0e4736");
  CHECK(task["parentSpanId"] == "00f067aa0ba902b7");
  CHECK(attempt["parentSpanId"] == task["spanId"]);
  CHECK(task["name"] == "task echo");
  CHECK(task["status"]["code"] == 1);
  CHECK(std::stoull(task["startTimeUnixNano"].get<std::string>()) <=
        std::stoull(task["endTimeUnixNano"].get<std::string>()));
}

TEST_CASE("a collector that refuses or is away holds nothing up") {
  collector traces;
  traces.answer(500);
  node_process node{{{"tracing", {{"otlp_url", traces.url()}}}}};
  CHECK(node.call("POST", "/v1/tasks?wait=30s", task_of("echo")).parsed()["state"] == "completed");
  node_process alone{{{"tracing", {{"otlp_url", "http://127.0.0.1:1"}}}}};
  CHECK(alone.call("POST", "/v1/tasks?wait=30s", task_of("echo")).parsed()["state"] == "completed");
  alone.signal(SIGTERM);
  CHECK(alone.node->exit_code() == 0);
}
