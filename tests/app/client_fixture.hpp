#pragma once

#include "net/event_loop.hpp"
#include "net/http_server.hpp"
#include "tests/app/run_fixture.hpp"

#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace rolecall::tests {

/// A node that answers what the test tells it to. Its address is passed with `--node`.
class scripted_node {
public:
  using exchange = std::shared_ptr<net::http_exchange>;
  using handler = std::function<void(const exchange&)>;

  scripted_node() { start(0); }
  ~scripted_node() { server_.reset(); }

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }

  /// What "METHOD /path" (without the query) is answered with from now on.
  void on(const std::string& request, handler handle) {
    std::lock_guard guard{mutex_};
    handlers_[request] = std::move(handle);
  }
  void on(const std::string& request, unsigned status, const std::string& body,
          const std::string& type = "application/json") {
    on(request, [=](const exchange& call) {
      call->respond({status, {{"Content-Type", type}}, body});
    });
  }

  /// The requests so far: "METHOD /path?query body".
  std::vector<std::string> requests() {
    std::lock_guard guard{mutex_};
    return requests_;
  }
  /// The value of a header of the latest request.
  std::string header(const std::string& name) {
    std::lock_guard guard{mutex_};
    return std::string{net::find_header(headers_, name).value_or("")};
  }

  /// Waits for a reader of /v1/events, says hello to it, and gives the Last-Event-ID it sent.
  std::string await_reader() {
    std::unique_lock guard{mutex_};
    auto waiting = [this] { return !readers_.empty(); };
    REQUIRE(arrived_.wait_for(guard, std::chrono::seconds{30}, waiting));
    auto call = std::move(readers_.front());
    readers_.pop_front();
    stream_ = call->respond_streamed({200, {{"Content-Type", "text/event-stream"}}, {}});
    auto id = std::string{net::find_header(call->headers(), "Last-Event-ID").value_or("")};
    guard.unlock();
    send("event: hello\ndata: {\"last_event_id\":\"100\",\"node\":\"a\"}\n\n");
    return id;
  }
  /// To the reader that has been said hello to.
  void send(const std::string& text) { stream_->write(std::make_shared<const std::string>(text)); }
  void send_event(const std::string& type, int id, const nlohmann::json& data) {
    send("id: " + std::to_string(id) + "\nevent: " + type + "\ndata: " + data.dump() + "\n\n");
  }
  /// Cuts the stream off.
  void drop_reader() { stream_.reset(); }

  /// Closes all connections and the port; comes back on the same one with `start_again`.
  void stop() {
    stream_.reset();
    server_.reset();
    std::lock_guard guard{mutex_};
    readers_.clear();
  }
  void start_again() { start(port_); }

private:
  void start(std::uint16_t port) {
    net::http_server_options options;
    options.port = port;
    server_ = std::make_unique<net::http_server>(loop_.context(), options,
                                                 [this](const exchange& call) { take(call); });
    port_ = server_->port();
  }

  void take(const exchange& call) {
    std::unique_lock guard{mutex_};
    auto query = call->query().empty() ? "" : "?" + call->query();
    requests_.push_back(call->method() + " " + call->path() + query +
                        (call->body().empty() ? "" : " " + call->body()));
    headers_ = call->headers();
    auto found = handlers_.find(call->method() + " " + call->path());
    if (found != handlers_.end()) {
      auto handle = found->second;
      guard.unlock();
      return handle(call);
    }
    if (call->path() == "/v1/events") {
      readers_.push_back(call);
      arrived_.notify_all();
      return;
    }
    call->respond(
        {404,
         {{"Content-Type", "application/problem+json"}},
         R"({"title":"Not found","detail":"nothing is scripted here","code":"not_found"})"});
  }

  net::event_loop loop_;
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::map<std::string, handler> handlers_;
  std::vector<std::string> requests_;
  net::headers headers_;
  std::deque<exchange> readers_;
  std::shared_ptr<net::response_stream> stream_;
  std::uint16_t port_{0};
  std::unique_ptr<net::http_server> server_;
};

/// A task as a node shows it.
inline nlohmann::json task_view(const std::string& id, const std::string& state, int attempts = 1) {
  nlohmann::json view{{"task_id", id},
                      {"role", "r"},
                      {"state", state},
                      {"attempts", attempts},
                      {"agent_id", nullptr},
                      {"service", nullptr},
                      {"queued_ms", 2},
                      {"run_ms", 15},
                      {"labels", {{"team", "x"}}},
                      {"input", "hello"},
                      {"submitted_at", "2026-11-24T13:00:00.000Z"}};
  if (attempts > 0) {
    view["agent_id"] = "agent-1";
    view["service"] = "local";
  }
  if (state == "completed")
    view["output"] = "out of " + id;
  if (state == "failed")
    view["error"] = {{"code", "agent_failed"}, {"message", "no luck"}};
  return view;
}

inline ended_run ended(program& child) {
  auto output = child.rest_of_output();
  auto code = child.exit_code();
  return {code, std::move(output), child.errors()};
}

/// `rolecall` with these arguments, against that node.
inline ended_run run_client(const scripted_node& node, std::vector<std::string> arguments) {
  arguments.insert(arguments.end(), {"--node", node.url()});
  program child{std::move(arguments)};
  return ended(child);
}

/// An environment variable, for the time of a test.
class environment {
public:
  environment(const char* name, const std::string& value) : name_{name} {
    ::setenv(name, value.c_str(), 1);
  }
  ~environment() { ::unsetenv(name_); }
  environment(const environment&) = delete;
  environment& operator=(const environment&) = delete;

private:
  const char* name_;
};

} // namespace rolecall::tests
