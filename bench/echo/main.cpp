// An agents service that answers at once, or after a fixed time, as lean as one can be: what the
// benchmarks have behind them.
#include "net/http_server.hpp"

#include <CLI/CLI.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstdio>

using namespace rolecall;

namespace {

struct service {
  int agents{64};
  int concurrency{64};
  int delay_ms{0};
  std::uint64_t executed{0};

  net::http_response operator()(const net::http_exchange& request) {
    const auto& path = request.path();
    if (is_task(request)) {
      ++executed;
      return json(200, R"({"status":"completed","output":"done"})");
    }
    if (path == "/executed")
      return json(200, std::to_string(executed));
    if (path == "/health")
      return json(200, "{}");
    if (path == "/roles")
      return json(200, R"({"roles":[{"role":"worker","max_concurrency":)" +
                           std::to_string(concurrency) + "}]}");
    if (path == "/agents" && request.method() == "GET")
      return json(200, all_agents());
    return json(404, R"({"error":{"code":"unknown_agent","message":"no such agent"}})");
  }

  static bool is_task(const net::http_exchange& request) {
    return request.path().ends_with("/execute");
  }

private:
  static net::http_response json(unsigned status, std::string body) {
    return {status, {{"Content-Type", "application/json"}}, std::move(body)};
  }

  std::string all_agents() const {
    std::string result = R"({"agents":[)";
    for (int i = 0; i < agents; ++i)
      result += (i == 0 ? "" : ",") + std::string{R"({"agent_id":"a)"} + std::to_string(i) +
                R"(","role":"worker","state":"idle","max_concurrency":)" +
                std::to_string(concurrency) + "}";
    return result + "]}";
  }
};

} // namespace

int main(int argc, char** argv) {
  service answers;
  net::http_server_options options;
  CLI::App app{"An agents service that answers at once"};
  app.add_option("--agents", answers.agents, "How many it has")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
  app.add_option("--concurrency", answers.concurrency, "The most tasks of each at a time")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  app.add_option("--delay-ms", answers.delay_ms, "How long a task takes")
      ->check(CLI::Range(0, 3'600'000))
      ->capture_default_str();
  app.add_option("--max-connections", options.max_connections, "How many callers at a time")
      ->capture_default_str();
  app.add_option("--port", options.port, "Port 0: any free one")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  boost::asio::io_context context{1};
  net::http_server server{
      context, options, [&](const std::shared_ptr<net::http_exchange>& request) {
        if (answers.delay_ms == 0 || !service::is_task(*request))
          return request->respond(answers(*request));
        auto timer = std::make_shared<boost::asio::steady_timer>(
            context, std::chrono::milliseconds{answers.delay_ms});
        timer->async_wait([&answers, request, timer](const boost::system::error_code&) {
          request->respond(answers(*request));
        });
      }};
  std::printf("listening on http://127.0.0.1:%d\n", static_cast<int>(server.port()));
  std::fflush(stdout);
  context.run();
}
