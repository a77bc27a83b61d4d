#pragma once

#include "app/agents_service/roles_file.hpp"
#include "app/agents_service/service.hpp"
#include "net/http_server.hpp"
#include "net/pooled_http_client.hpp"
#include "tests/app/loop_fixture.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace rolecall::tests {

using json = nlohmann::json;

/// A response with its body as JSON (null if there is none).
struct reply {
  unsigned status{0};
  net::headers headers;
  json body;

  std::string code() const { return body["error"]["code"]; }
  std::string message() const { return body["error"]["message"]; }
  std::string header(std::string_view name) const {
    return std::string{net::find_header(headers, name).value_or("")};
  }
};

/// Calls a server and waits for the answer, or leaves it under way.
class caller {
public:
  caller(test_loop& loop, std::string base) : loop_{loop}, base_{std::move(base)} {}
  /// Ends the loop for good: what lives on it can be destroyed only then, as nobody else runs it.
  ~caller() { loop_.context.stop(); }

  /// A call that has been started, and its answer once it is there.
  struct pending {
    net::http_client::call_id id{0};
    std::shared_ptr<std::optional<net::http_result>> result =
        std::make_shared<std::optional<net::http_result>>();
  };

  pending start(const std::string& method, const std::string& path, const json& body = nullptr,
                net::headers headers = {}) {
    pending call;
    net::http_request request;
    request.method = method;
    request.url = base_ + path;
    request.headers = std::move(headers);
    if (!body.is_null())
      request.body = std::make_shared<const std::string>(body.is_string() ? body.get<std::string>()
                                                                          : body.dump());
    call.id = client_.start(std::move(request), [result = call.result](net::http_result value) {
      *result = std::move(value);
    });
    return call;
  }

  reply wait(const pending& call) {
    REQUIRE(loop_.run_until([&] { return call.result->has_value(); }));
    if (auto* failed = std::get_if<net::http_failure>(&**call.result))
      FAIL(failed->message);
    const auto& response = std::get<net::http_response>(**call.result);
    return {response.status, response.headers,
            response.body.empty() ? json{} : json::parse(response.body)};
  }

  reply call(const std::string& method, const std::string& path, const json& body = nullptr,
             net::headers headers = {}) {
    return wait(start(method, path, body, std::move(headers)));
  }

  void cancel(const pending& call) { client_.cancel(call.id); }

private:
  test_loop& loop_;
  std::string base_;
  net::pooled_http_client client_{loop_.context, {}};
};

/// An agents service with the roles that a test gives it, over real HTTP.
class service_fixture {
public:
  test_loop loop;
  temporary_folder folder;

  service_fixture() { spdlog::set_level(spdlog::level::off); }

  /// To be called first. `roles` is the array of a roles file.
  void serve(const json& roles, std::size_t max_agents = 256) {
    std::vector<problem> problems;
    auto read =
        agents::read_roles(json{{"roles", roles}}.dump(), folder.path(), folder.path(), problems);
    INFO(to_text(problems));
    REQUIRE(read);
    processes_.emplace(loop.context, std::chrono::milliseconds{200});
    service_.emplace(loop.context, *processes_, std::move(*read), max_agents);
    server_.emplace(loop.context, net::http_server_options{},
                    [this](auto exchange) { service_->handle(exchange); });
    caller_.emplace(loop, "http://127.0.0.1:" + std::to_string(server_->port()));
  }

  caller& http() { return *caller_; }
  agents::service& service() { return *service_; }

  static json shell_role(const std::string& script) {
    return {{"role", "worker"}, {"command", {"sh", "-c", script}}};
  }
  static json task(const json& input, const std::string& task_id = "t1") {
    return {{"task_id", task_id}, {"attempt", 1}, {"role", "worker"}, {"input", input}};
  }

  /// Spawns an agent and gives its id.
  std::string spawn(const std::string& role = "worker") {
    auto made = http().call("POST", "/agents", {{"role", role}});
    REQUIRE(made.status == 201);
    return made.body["agent_id"];
  }
  reply execute(const json& body) { return http().call("POST", "/execute", body); }
  json agents() { return http().call("GET", "/agents").body["agents"]; }

  pid_t wait_for_pid(const std::string& file) {
    REQUIRE(loop.run_until([&] { return folder.pid_in(file) != 0; }));
    return folder.pid_in(file);
  }
  bool wait_until_gone(pid_t pid) {
    return loop.run_until([&] { return !is_alive(pid); });
  }

private:
  std::optional<agents::supervisor> processes_;
  std::optional<agents::service> service_;
  std::optional<net::http_server> server_;
  std::optional<caller> caller_;
};

/// A shell script that writes its process id to "pid" and then hangs, whatever it is sent.
inline const std::string stubborn_script =
    "trap '' TERM; echo $$ > pid; while :; do sleep infinity; done";

} // namespace rolecall::tests
