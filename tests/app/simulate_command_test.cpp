// The lab for a user's own tasks: `rolecall simulate`.
#include "app/simulate/timed_tasks.hpp"
#include "tests/app/run_fixture.hpp"

using namespace rolecall;
using namespace rolecall::tests;
using json = nlohmann::json;

namespace {

ended_run simulated(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "simulate");
  program child{std::move(arguments)};
  auto output = child.rest_of_output();
  auto code = child.exit_code();
  return {code, std::move(output), child.errors()};
}

/// So many tasks of the role "echo", as a file for `rolecall run`.
std::string batch_of(int count) {
  auto tasks = json::array();
  for (int i = 0; i < count; ++i)
    tasks.push_back({{"role", "echo"}, {"input", i}});
  return tasks.dump();
}

std::string exported(const std::string& id, int run_ms, const std::string& at,
                     json more = json::object()) {
  json line{{"task_id", id},
            {"role", "echo"},
            {"state", "completed"},
            {"run_ms", run_ms},
            {"submitted_at", at}};
  line.update(more);
  return line.dump() + "\n";
}

std::vector<std::string> problems_of(const std::string& text) {
  std::vector<std::string> result;
  auto read = read_timed_tasks(text);
  if (const auto* problems = std::get_if<std::vector<problem>>(&read))
    for (const auto& problem : *problems)
      result.push_back(to_text(problem));
  return result;
}

} // namespace

TEST_CASE("simulate tells how long a batch would take with so many agents, and what they cost") {
  folder here;
  auto tasks = here.write("tasks.json", batch_of(8));
  auto report = simulated({"--tasks", tasks, "--duration", "2s", "--spread", "0", "--agents", "1,4",
                           "--agents", "8", "--json"})
                    .report();
  REQUIRE(report["forecasts"].size() == 3);
  auto all_done = [&](int i) { return report["forecasts"][i]["all_done_ms"].get<int>(); };
  CHECK(all_done(0) == 16'000);
  CHECK(all_done(1) == 4'000);
  CHECK(all_done(2) == 2'000);
  CHECK(report["forecasts"][0]["p99_ms"] == 16'000);
  CHECK(report["forecasts"][0]["mean_ms"] == 9'000);
  CHECK(report["forecasts"][1]["agent_seconds"] == Approx(16));
  CHECK(report["forecasts"][1]["busy"] == Approx(1));
  CHECK(report["forecasts"][2]["success_rate"] == 1);
}

TEST_CASE("simulate follows the configuration: its scaling, its time limits, its retries") {
  folder here;
  auto tasks = here.write("tasks.json", batch_of(6));
  auto config = here.write("config.json", R"({"roles": {"echo": {"max_agents": 3}},
    "execution": {"timeout": "3s", "max_attempts": 1}})");
  auto run = [&](const std::string& duration) {
    return simulated({"--config", config, "--tasks", tasks, "--duration", duration, "--spread", "0",
                      "--json"})
        .report()["forecasts"];
  };
  auto fine = run("2s");
  REQUIRE(fine.size() == 3); // as configured, 1, 2
  CHECK(fine[0]["agents"] == nullptr);
  CHECK(fine[0]["most_agents"] <= 3);
  CHECK(fine[0]["all_done_ms"] >= 4'000 + 1'000); // in two rounds, after the spawn
  CHECK(fine[0]["success_rate"] == 1);
  auto slow = run("echo=4s");
  CHECK(slow[1]["success_rate"] == 0);
  CHECK(slow[1]["timeouts_per_task"] == 1);
}

TEST_CASE("simulate goes by the labels that the configuration names, as a node does") {
  folder here;
  auto tasks = here.write("tasks.json", R"([
    {"role": "echo", "input": 1, "labels": {"team": "x"}},
    {"role": "echo", "input": 2, "labels": {"team": "x"}}])");
  auto all_done = [&](const std::string& routing) {
    auto config = here.write("config.json", R"({"routing": {)" + routing +
                                                R"("key_limits": {"x": {"max_parallel": 1}}}})");
    return simulated({"--config", config, "--tasks", tasks, "--duration", "2s", "--spread", "0",
                      "--agents", "2", "--json"})
        .report()["forecasts"][0]["all_done_ms"]
        .get<int>();
  };
  CHECK(all_done(R"("fairness": {"label": "team"},)") == 4'000);
  CHECK(all_done("") == 2'000);
}

TEST_CASE("the same seed gives the same forecast, another one another") {
  folder here;
  auto tasks = here.write("tasks.json", batch_of(50));
  auto run = [&](const std::string& seed) {
    auto ended = simulated(
        {"--tasks", tasks, "--duration", "1s", "--agents", "4", "--over", "30s", "--seed", seed});
    CHECK(ended.code == 0);
    CHECK(ended.output.starts_with("AGENTS\tMEAN\tP50\tP99\tALL DONE\t"));
    return ended.output;
  };
  CHECK(run("7") == run("7"));
  CHECK(run("7") != run("8"));
}

TEST_CASE("simulate goes by what an export says of times, if it is given one") {
  folder here;
  auto tasks =
      here.write("tasks.ndjson",
                 exported("b", 3'000, "2026-01-31T12:00:10.500Z") +
                     exported("a", 2'000, "2026-01-31T12:00:00.500Z", {{"timeout_ms", 9'000}}) +
                     exported("never", 0, "2026-01-31T12:00:00.500Z") +
                     exported("c", 1'000, "2026-01-31T12:00:10.500Z",
                              {{"depends_on", {"b", "never", "forgotten"}}}));
  auto ended = simulated({"--tasks", tasks, "--agents", "2", "--json"});
  auto report = ended.report();
  CHECK(ended.errors.find("1 tasks of the export have never run") != std::string::npos);
  CHECK(report["tasks"] == 3);
  CHECK(report["forecasts"][0]["all_done_ms"] == 14'000);
  // A duration that is given goes before it.
  report = simulated({"--tasks", tasks, "--agents", "2", "--duration", "echo=1s", "--spread", "0",
                      "--json"})
               .report();
  CHECK(report["forecasts"][0]["all_done_ms"] == 12'000);
}

TEST_CASE("what is wrong with an export is told line by line") {
  auto fine = exported("a", 1, "2026-01-31T12:00:00.500Z");
  CHECK(problems_of(fine).empty());
  CHECK(problems_of(fine + "{\"task_id\": \n").size() == 1);
  CHECK(problems_of(fine + exported("b", -1, "2026-01-31T12:00:00.500Z"))
            .front()
            .starts_with("line 2"));
  CHECK(problems_of(fine + exported("b", 1, "yesterday")).front().find("/submitted_at") !=
        std::string::npos);
  CHECK(problems_of(fine + exported("a", 1, "2026-01-31T12:00:00.500Z")).front().find("line 2") !=
        std::string::npos);
  CHECK(problems_of(exported("a", 0, "2026-01-31T12:00:00.500Z")).size() == 1);
  auto circle = exported("a", 1, "2026-01-31T12:00:00.500Z", {{"depends_on", {"b"}}}) +
                exported("b", 1, "2026-01-31T12:00:00.500Z", {{"depends_on", {"a"}}});
  CHECK(problems_of(circle).front().find("circle") != std::string::npos);
}

TEST_CASE("simulate refuses what it cannot use, and says what it needs") {
  folder here;
  auto tasks = here.write("tasks.json", batch_of(2));
  auto refused = [&](std::vector<std::string> arguments, const std::string& why) {
    auto ended = simulated(std::move(arguments));
    INFO(ended.errors);
    CHECK(ended.code == 2);
    CHECK(ended.output.empty());
    CHECK(ended.errors.find(why) != std::string::npos);
  };
  refused({"--tasks", tasks}, "how long do tasks of these roles take? echo");
  refused({"--tasks", tasks, "--duration", "2"}, "not a duration");
  refused({"--tasks", tasks, "--duration", "=2s"}, "names no role");
  refused({"--tasks", tasks, "--duration", "ehco=2s"}, "no task has the role \"ehco\"");
  refused({"--tasks", tasks, "--duration", "2s", "--duration", "3s"}, "given twice");
  refused({"--tasks", tasks, "--duration", "2s", "--agents", "0"}, "not in range");
  refused({"--tasks", tasks, "--duration", "2s", "--agents", "4,x"}, "agents");
  refused({"--tasks", tasks, "--duration", "2s", "--spread", "-1"}, "not in range");
  refused({"--tasks", here.path("none.json"), "--duration", "2s"}, "cannot read");
  refused({"--duration", "2s"}, "--tasks is required");
  refused({"--tasks", here.write("empty.json", "[]"), "--duration", "2s"}, "is empty");
  refused({"--tasks", here.write("needs.json", R"([{"role": "echo", "input": 1,
            "depends_on": ["x"]}])"),
           "--duration", "2s"},
          "/0/depends_on: no task");
  refused({"--tasks", here.write("circle.json", R"([
            {"task_id": "a", "role": "echo", "input": 1, "depends_on": ["b"]},
            {"task_id": "b", "role": "echo", "input": 1, "depends_on": ["a"]}])"),
           "--duration", "2s"},
          "circle");
  refused({"--tasks", tasks, "--duration", "2s", "--config",
           here.write("config.json", R"({"execution": {"timeout": 5}})")},
          "/execution/timeout");
}
