#pragma once

#include "net/event_loop.hpp"
#include "net/pooled_http_client.hpp"
#include "tests/app/run_fixture.hpp"

#include <future>
#include <optional>

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

namespace rolecall::tests {

/// `rolecall node` in a process of its own, with an agents service of shell commands.
class node_process {
public:
  using json = nlohmann::json;

  /// `config` is added to what the node needs. The role "echo" gives its task back; "wait" runs
  /// until the file `go` is there.
  explicit node_process(const json& config = json::object(), const std::string& ca_file = "")
      : client_{loop_.context(), {.ca_file = ca_file}} {
    REQUIRE(::mkfifo(here.path("gate").c_str(), 0600) == 0);
    gate_ = ::open(here.path("gate").c_str(), O_RDWR | O_CLOEXEC);
    REQUIRE(gate_ >= 0);
    json roles{{{"role", "echo"}, {"command", {"cat"}}},
               {{"role", "wait"},
                {"command", {"sh", "-c", "read line < \"$0\"; cat", here.path("gate")}}}};
    settings = {{"api", {{"listen", "127.0.0.1:0"}}}, {"journal", {{"path", ""}}}};
    settings.merge_patch(config);
    arguments = {"node", "--config", here.write("node.json", settings.dump()), "--roles",
                 here.write("roles.json", json{{"roles", roles}}.dump())};
    start();
  }

  ~node_process() { ::close(gate_); }
  node_process(const node_process&) = delete;
  node_process& operator=(const node_process&) = delete;

  void start() {
    node.emplace(arguments);
    auto line = node->line();
    INFO(line);
    REQUIRE(line.starts_with("listening on "));
    url = line.substr(std::string{"listening on "}.size());
  }

  struct answer {
    unsigned status{0};
    net::headers headers;
    std::string body;

    json parsed() const { return json::parse(body); }
    std::string code() const { return parsed()["code"]; }
  };

  std::future<net::http_result> begin(const std::string& method, const std::string& path,
                                      const json& body = nullptr, net::headers headers = {}) {
    net::http_request request;
    request.method = method;
    request.url = url + path;
    request.headers = std::move(headers);
    if (!body.is_null()) {
      request.headers.push_back({"Content-Type", "application/json"});
      request.body = std::make_shared<const std::string>(body.dump());
    }
    auto done = std::make_shared<std::promise<net::http_result>>();
    client_.start(std::move(request),
                  [done](net::http_result result) { done->set_value(std::move(result)); });
    return done->get_future();
  }

  static answer end(std::future<net::http_result> result) {
    REQUIRE(result.wait_for(std::chrono::seconds{60}) == std::future_status::ready);
    auto got = result.get();
    if (auto* lost = std::get_if<net::http_failure>(&got))
      return {0, {}, lost->message};
    auto& response = std::get<net::http_response>(got);
    return {response.status, response.headers, response.body};
  }

  answer call(const std::string& method, const std::string& path, const json& body = nullptr,
              net::headers headers = {}) {
    return end(begin(method, path, body, std::move(headers)));
  }

  /// Lets one task of the role "wait" end, now or when it starts.
  void go() { REQUIRE(::write(gate_, "\n", 1) == 1); }
  void signal(int number) { ::kill(node->pid(), number); }

  folder here;
  json settings;
  std::vector<std::string> arguments;
  std::optional<program> node;
  std::string url;

private:
  int gate_{-1};
  net::event_loop loop_;
  net::pooled_http_client client_;
};

inline nlohmann::json task_of(const std::string& role, const std::string& id = "") {
  nlohmann::json task{{"role", role}, {"input", 1}};
  if (!id.empty())
    task["task_id"] = id;
  return task;
}

} // namespace rolecall::tests
