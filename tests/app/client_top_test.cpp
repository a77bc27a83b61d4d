// `rolecall top`: the picture, and the snapshot for a pipe.
#include "app/client/top_view.hpp"
#include "app/terminal.hpp"
#include "tests/app/client_fixture.hpp"

using namespace rolecall::tests;
using rolecall::client::top_picture;
using data = rolecall::client::json;

namespace {

data agent(const std::string& id, int running, int failed) {
  return {{"agent_id", id},
          {"role", "counter"},
          {"state", "ready"},
          {"condition", "ok"},
          {"in_flight", running},
          {"max_concurrency", 8},
          {"limit", 4},
          {"succeeded", 10},
          {"failed", failed},
          {"success_rate", failed > 0 ? 0.5 : 1.0},
          {"latency_ms", 15.2},
          {"last_error",
           failed > 0 ? data{{"code", "timeout"}, {"message", "too \x1b[2Jlate"}} : data{}}};
}

data stats() {
  auto buckets = data::array();
  for (int i = 0; i < 90; ++i)
    buckets.push_back({{"accepted", 20}, {"completed", i >= 80 ? 10 : 0}, {"failed", 0}});
  return {{"tasks", {{"submitted", 17}, {"working", 2}, {"completed", 1000}, {"failed", 1}}},
          {"retries", 3},
          {"success_rate", 0.909},
          {"latency_ms", {{"p50", 15.0}, {"p90", 20.4}, {"p99", 3000.0}}},
          {"window", {{"bucket_seconds", 10}, {"buckets", buckets}}},
          {"node", "a"}};
}

top_picture picture(int agents = 2) {
  top_picture result;
  result.where = "http://127.0.0.1:7480";
  result.clock = "12:00:00";
  result.keys = true;
  result.snapshot.stats = stats();
  result.snapshot.roles = {{{"role", "counter"},
                            {"waiting", 17},
                            {"running", 2},
                            {"slots", 4},
                            {"free_slots", 2},
                            {"agents", 2},
                            {"max_agents", 8},
                            {"starting", 1},
                            {"trouble", {{"code", "spawn_refused"}, {"message", "full"}}}}};
  result.snapshot.agents = data::array();
  for (int i = 0; i < agents; ++i)
    result.snapshot.agents.push_back(agent("c-" + std::to_string(i), i == agents - 1 ? 3 : 0, 0));
  result.snapshot.node = {
      {"node", "a"}, {"version", "0.1.0"}, {"state", "ready"}, {"uptime_ms", 11'520'000}};
  return result;
}

std::string plain(const std::vector<std::string>& lines) {
  std::string result;
  for (const auto& line : lines)
    result += rolecall::without_colours(line) + "\n";
  return result;
}

} // namespace

TEST_CASE("the picture says what the node does") {
  auto text = plain(draw_top(picture(), 120, 30));
  INFO(text);
  for (const auto* part : {"rolecall a  ready  up 3h 12m", "· 17 waiting", "▸ 2 working",
                           "✓ 1000 completed", "accepted 2.0/s   ended 1.0/s", "success 90.9 %",
                           "retries 3", "p50 15ms   p90 20ms   p99 3.00s", "████░░░░ 2/4",
                           "spawn_refused: full", "██████░░ 3/4", "q leaves"})
    CHECK(text.find(part) != std::string::npos);
}

TEST_CASE("the picture fits whatever terminal there is") {
  auto columns = GENERATE(std::size_t{10}, std::size_t{40}, std::size_t{80}, std::size_t{200});
  auto rows = GENERATE(std::size_t{1}, std::size_t{5}, std::size_t{10}, std::size_t{24});
  auto shown = picture(100);
  shown.away = "cannot connect";
  auto lines = draw_top(shown, columns, rows);
  CHECK(lines.size() <= rows);
  for (const auto& line : lines) {
    INFO(line);
    CHECK(rolecall::characters(rolecall::without_colours(line)) <= columns);
  }
}

TEST_CASE("agents that work are seen if there is no room for all") {
  auto text = plain(draw_top(picture(100), 120, 24));
  INFO(text);
  CHECK(text.find("c-99") != std::string::npos);
  CHECK(text.find("more agents") != std::string::npos);
}

TEST_CASE("a picture that is stale says since when, and why") {
  auto shown = picture();
  shown.away = "cannot connect to 127.0.0.1:7480";
  shown.taken = "11:58:45";
  shown.age = std::chrono::seconds{75};
  CHECK(plain(draw_top(shown, 120, 30))
            .find("the node is away, all this is stale since 11:58:45 (1m 15s): cannot connect") !=
        std::string::npos);
}

TEST_CASE("a node that tells little or nonsense makes a picture too") {
  auto shown = picture();
  shown.snapshot.stats = GENERATE(data{}, data::array(), data{{"window", {{"buckets", {1, "x"}}}}},
                                  data{{"tasks", 7}, {"latency_ms", {{"p50", nullptr}}}});
  shown.snapshot.agents.push_back(7);
  shown.snapshot.roles.push_back(data::object());
  shown.snapshot.agents.push_back(agent("evil", 9'999, 1));
  auto text = plain(draw_top(shown, 120, 30));
  CHECK(text.find("too  [2Jlate") != std::string::npos);
}

TEST_CASE("a line of bars is as high as the highest, and shows what is not zero") {
  using rolecall::client::sparkline;
  CHECK(sparkline({0, 1, 50, 100}, 4) == " ▁▄█");
  CHECK(sparkline({1, 1, 3, 3, 8}, 3) == "▂▆█");
  CHECK(sparkline({0, 0}, 10) == "  ");
  CHECK(sparkline({}, 10).empty());
  CHECK(sparkline({1}, 0).empty());
}

TEST_CASE("in a pipe top is one snapshot without escapes, or JSON") {
  scripted_node node;
  auto shown = picture().snapshot;
  node.on("GET /v1/stats", 200, shown.stats.dump());
  node.on("GET /v1/roles", 200, data{{"roles", shown.roles}}.dump());
  node.on("GET /v1/agents", 200, data{{"agents", shown.agents}}.dump());
  node.on("GET /v1/nodes", 200,
          data{{"nodes", {{{"node", "b"}, {"state", "draining"}}, shown.node}}}.dump());
  auto got = run_client(node, {"top"});
  CHECK(got.code == 0);
  CHECK(got.output.starts_with("rolecall a  ready  up 3h 12m"));
  CHECK(got.output.find('\x1b') == std::string::npos);
  CHECK(run_client(node, {"top", "--json"}).report()["node"]["uptime_ms"] == 11'520'000);
  node.on("GET /v1/roles", 403, R"({"detail":"you may not","code":"forbidden"})");
  auto refused = run_client(node, {"top"});
  CHECK(refused.code == 1);
  CHECK(refused.errors.starts_with("rolecall top: you may not (forbidden)"));
  node.stop();
  CHECK(run_client(node, {"top"}).code == 1);
}
