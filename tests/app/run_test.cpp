// `rolecall run` as a user runs it: the real program, real agents services, real processes.
#include "tests/app/run_fixture.hpp"

#include <csignal>
#include <set>

using namespace rolecall::tests;
using json = nlohmann::json;

namespace {

/// An agents service of tests/support, in another language, in a process of its own.
class other_service {
public:
  explicit other_service(const std::string& script = "other_service.py") {
    child_.emplace("python3",
                   std::vector{std::string{ROLECALL_SOURCE_DIR} + "/tests/support/" + script});
    auto line = child_->line();
    REQUIRE(line.starts_with("listening on "));
    url_ = line.substr(std::string{"listening on "}.size());
  }
  const std::string& url() const { return url_; }
  void kill() { child_.reset(); }

private:
  std::optional<program> child_;
  std::string url_;
};

json batch_of(int count, const std::string& role, const json& input) {
  auto tasks = json::array();
  for (int i = 0; i < count; ++i)
    tasks.push_back({{"task_id", "t" + std::to_string(i)}, {"role", role}, {"input", input}});
  return tasks;
}

} // namespace

TEST_CASE("six tasks of six roles complete on six agents, and the report says so") {
  folder here;
  json roles = json::array();
  json tasks = json::array();
  for (const auto* role : {"a", "b", "c", "d", "e", "f"}) {
    roles.push_back({{"role", role}, {"command", {"cat"}}});
    tasks.push_back(
        {{"task_id", std::string{"task-"} + role}, {"role", role}, {"input", {{"x", role}}}});
  }
  auto ended = run_to_end({here.write("tasks.json", json{{"tasks", tasks}}.dump()), "--roles",
                           here.write("roles.json", json{{"roles", roles}}.dump()), "--json",
                           "--out", here.path("results/of this run")});
  CHECK(ended.code == 0);
  auto report = ended.report();
  std::set<std::string> agents;
  for (const auto& task : report["tasks"]) {
    CHECK(task["state"] == "completed");
    CHECK(task["attempts"] == 1);
    CHECK(task["output"]["input"]["x"] == task["role"]); // cat gives back what it was asked
    CHECK(task["output"]["agent_id"] == task["agent_id"]);
    agents.insert(task["agent_id"]);
    std::ifstream file{
        here.path("results/of this run/" + task["task_id"].get<std::string>() + ".json")};
    CHECK(json::parse(file) == task);
  }
  CHECK(agents.size() == 6);
  auto& summary = report["summary"];
  CHECK(summary["submitted"] == 6);
  CHECK(summary["completed"] == 6);
  CHECK(summary["failed"] == 0);
  CHECK(summary["canceled"] == 0);
  CHECK(summary["success_rate"] == 1.0);
  CHECK(summary["agents_spawned"] == 6);
  CHECK(summary["retries"] == 0);
  CHECK(summary["wall_ms"].is_number_integer());
  CHECK(summary["run_ms_total"].is_number_integer());
  CHECK(summary["speedup"].is_number());
}

TEST_CASE("in a pipe, a run is plain lines with a summary at the end") {
  folder here;
  auto ended =
      run_to_end({here.write("tasks.json", R"([{"task_id":"t","role":"r","input":1}])"), "--roles",
                  here.write("roles.json", R"({"roles":[{"role":"r","command":["cat"]}]})")});
  CHECK(ended.code == 0);
  CHECK(ended.output.find("started the bundled one at http://127.0.0.1:") != std::string::npos);
  CHECK(ended.output.find("working t role=r agent=r-") != std::string::npos);
  CHECK(ended.output.find("[1/1] completed t role=r") != std::string::npos);
  CHECK(ended.output.find("succeeded 1, failed 0, canceled 0 of 1 tasks (success rate 100.0 %)") !=
        std::string::npos);
  CHECK(ended.output.find("agents spawned 1, retries 0") != std::string::npos);
  CHECK(ended.output.find('\x1b') == std::string::npos);
}

TEST_CASE("a task that fails makes the exit code 1, and its error is reported") {
  folder here;
  auto roles =
      here.write("roles.json",
                 R"({"roles":[{"role":"bad","command":["sh","-c","echo no such thing >&2; exit 3"]},
                   {"role":"good","command":["cat"]}]})");
  auto ended = run_to_end(
      {here.write("tasks.json", R"([{"role":"bad","input":1},{"role":"good","input":1}])"),
       "--roles", roles, "--json"});
  CHECK(ended.code == 1);
  auto report = ended.report();
  CHECK(report["tasks"][0]["state"] == "failed");
  CHECK(report["tasks"][0]["error"]["code"] == "command_failed");
  CHECK(report["tasks"][0]["error"]["message"].get<std::string>().find("no such thing") !=
        std::string::npos);
  CHECK_FALSE(report["tasks"][0].contains("output"));
  CHECK(report["tasks"][1]["state"] == "completed");
  CHECK(report["summary"]["success_rate"] == 0.5);
}

TEST_CASE("an agent killed with -9 in the middle of a task: retried elsewhere, and completed") {
  folder here;
  auto mode = GENERATE("per_task", "per_agent");
  // On the first attempt the agent kills itself, as an out-of-memory killer would.
  auto script =
      R"(while read line; do
        case $line in *'"attempt":1,'*) kill -9 $$;; esac; echo '"survived"'; done)";
  json roles{
      {"roles",
       {{{"role", "r"}, {"command", {"sh", "-c", script}}, {"mode", mode}, {"max_agents", 4}}}}};
  auto ended = run_to_end({here.write("tasks.json", batch_of(5, "r", 1).dump()), "--roles",
                           here.write("roles.json", roles.dump()), "--json"});
  INFO(mode << ended.errors);
  CHECK(ended.code == 0);
  auto report = ended.report();
  CHECK(report["summary"]["success_rate"] == 1.0);
  CHECK(report["summary"]["retries"] >= 5);
  for (const auto& task : report["tasks"])
    CHECK(task["output"] == "survived");
}

TEST_CASE("a service in another language, written from the documentation, works as well") {
  folder here;
  other_service service;
  auto config = here.write(
      "config.json",
      R"({"roles":{"worker":{"max_agents":4}},"services":[{"name":"x","url":"http://h"}]})");
  auto ended =
      run_to_end({here.write("tasks.json", batch_of(20, "worker", {{"wait_ms", 20}}).dump()),
                  "--config", config, "--service", service.url(), "--json"});
  CHECK(ended.code == 0);
  auto report = ended.report();
  CHECK(report["summary"]["completed"] == 20);
  CHECK(report["summary"]["agents_spawned"] == 4);
  for (const auto& task : report["tasks"])
    CHECK(task["output"]["agent_id"] == task["agent_id"]);
  // What was spawned is retired at the end: a second run finds nobody, and spawns anew.
  auto again = run_to_end({here.write("one.json", batch_of(1, "worker", 1).dump()), "--service",
                           service.url(), "--json"});
  CHECK(again.report()["summary"]["agents_spawned"] == 1);
}

TEST_CASE("at most --max-parallel attempts run at the same time") {
  folder here;
  other_service service;
  auto ended =
      run_to_end({here.write("tasks.json", batch_of(6, "worker", {{"wait_ms", 50}}).dump()),
                  "--service", service.url(), "--max-parallel", "2", "--json"});
  CHECK(ended.code == 0);
  auto summary = ended.report()["summary"];
  CHECK(summary["agents_spawned"] == 2);
  // Two at a time for the whole time at most. The wall time is cut to whole milliseconds, and each
  // of the six times of execution is rounded to one.
  auto wall = summary["wall_ms"].get<double>() + 1;
  CHECK(summary["run_ms_total"].get<double>() <= 2 * wall + 6 * 0.5);
}

TEST_CASE("a service that is not there is an error after the configured patience, not a hang") {
  folder here;
  auto config = here.write("config.json", R"({"services":[{"name":"x","url":"http://127.0.0.1:1"}],
                                              "execution":{"patience":"300ms"}})");
  auto ended = run_to_end(
      {here.write("tasks.json", batch_of(2, "worker", 1).dump()), "--config", config, "--json"});
  CHECK(ended.code == 1);
  auto report = ended.report();
  CHECK(report["tasks"][0]["state"] == "failed");
  CHECK(report["tasks"][0]["error"]["code"] == "service_unreachable");
  auto message = report["tasks"][0]["error"]["message"].get<std::string>();
  CHECK(message.find("127.0.0.1:1") != std::string::npos);
  CHECK(message.find("refused") != std::string::npos);
}

TEST_CASE("a service that dies in the middle: what completed is reported, the rest fails") {
  folder here;
  other_service service;
  auto tasks =
      json::array({{{"task_id", "quick"}, {"role", "worker"}, {"input", {{"wait_ms", 1}}}},
                   {{"task_id", "slow"}, {"role", "worker"}, {"input", {{"wait_ms", 60'000}}}}});
  auto config = here.write("config.json", R"({"execution":{"patience":"300ms"}})");
  program child{{"run", here.write("tasks.json", tasks.dump()), "--config", config, "--service",
                 service.url(), "--out", here.path("out")}};
  std::string line;
  do
    line = child.line();
  while (line.find("completed quick") == std::string::npos && !line.empty());
  REQUIRE_FALSE(line.empty());
  service.kill();
  auto output = child.rest_of_output();
  CHECK(child.exit_code() == 1);
  CHECK(output.find("failed slow") != std::string::npos);
  CHECK(output.find("succeeded 1, failed 1") != std::string::npos);
  CHECK(std::filesystem::exists(here.path("out/quick.json")));
}

TEST_CASE("Ctrl-C cancels what runs, reports what is done, and exits with 130") {
  folder here;
  auto roles = here.write("roles.json", R"({"roles":[{"role":"quick","command":["cat"]},
      {"role":"endless","command":["sh","-c","exec tail -f /dev/null"]}]})");
  auto tasks = here.write("tasks.json", R"([{"task_id":"a","role":"quick","input":1},
                                            {"task_id":"b","role":"endless","input":1}])");
  program child{{"run", tasks, "--roles", roles}};
  std::string all;
  while (all.find("completed a") == std::string::npos ||
         all.find("working b") == std::string::npos) {
    auto line = child.line();
    REQUIRE_FALSE(line.empty());
    all += line + "\n";
  }
  ::kill(child.pid(), GENERATE(SIGINT, SIGTERM));
  auto output = child.rest_of_output();
  CHECK(child.exit_code() == 130);
  CHECK(output.find("canceled b") != std::string::npos);
  CHECK(output.find("succeeded 1, failed 0, canceled 1") != std::string::npos);
}

TEST_CASE("whatever an agent answers, the task ends with a clear error, or is done elsewhere") {
  folder here;
  other_service service{"faulty_service.py"};
  struct fault {
    std::string how;
    std::string code;    // of the error, if it goes on
    bool retried = true; // so that "once" helps
  };
  const std::vector<fault> faults{{"500", "http_status"},        {"404", "unknown_agent"},
                                  {"429", "agent_busy"},         {"503", "http_status"},
                                  {"302", "protocol_error"},     {"400", "http_status", false},
                                  {"no-json", "protocol_error"}, {"wrong-json", "protocol_error"},
                                  {"deep", "protocol_error"},    {"half", "connection_lost"},
                                  {"close", "connection_lost"},  {"nothing", "timeout"},
                                  {"endless", "too_large"},      {"slow", "timeout"},
                                  {"garbage", "protocol_error"}};
  auto tasks = json::array();
  auto add = [&](const std::string& id) {
    tasks.push_back({{"task_id", id}, {"role", "worker"}, {"input", 1}, {"timeout", "1s"}});
  };
  add("ok");
  add("http-1.0");
  for (const auto& fault : faults) {
    add(fault.how);
    add("once-" + fault.how);
  }
  auto ended =
      run_to_end({here.write("tasks.json", tasks.dump()), "--service", service.url(), "--json"});
  CHECK(ended.code == 1);
  std::map<std::string, json> results;
  auto report = ended.report();
  for (const auto& task : report["tasks"])
    results[task["task_id"]] = task;
  CHECK(results["ok"]["output"] == "fine");
  CHECK(results["http-1.0"]["output"] == "fine");
  for (const auto& fault : faults) {
    INFO(results[fault.how].dump() << results["once-" + fault.how].dump());
    CHECK(results[fault.how]["state"] == "failed");
    CHECK(results[fault.how]["error"]["code"] == fault.code);
    CHECK(results[fault.how]["attempts"] >= (fault.retried ? 3 : 1));
    CHECK(results["once-" + fault.how]["state"] == (fault.retried ? "completed" : "failed"));
  }
}
