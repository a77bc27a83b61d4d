// What a journal has kept, without the node.
#include "tests/app/node_fixture.hpp"

#include <sstream>

using namespace rolecall::tests;
using json = nlohmann::json;

namespace {

ended_run export_with(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "export");
  program child{std::move(arguments)};
  auto output = child.rest_of_output();
  auto code = child.exit_code();
  return {code, std::move(output), child.errors()};
}

std::vector<json> lines_of(const ended_run& ended) {
  INFO(ended.errors);
  CHECK(ended.code == 0);
  std::vector<json> result;
  std::istringstream lines{ended.output};
  for (std::string line; std::getline(lines, line);)
    result.push_back(json::parse(line));
  return result;
}

} // namespace

TEST_CASE("export prints each task as the running node shows it, and after its end too") {
  folder kept;
  node_process node{{{"journal", {{"path", kept.path("tasks.db")}}},
                     {"execution", {{"timeout", "7s"}}},
                     {"roles", {{"echo", {{"max_attempts", 5}}}}}}};
  auto tasks = json::parse(R"([{"task_id": "a", "role": "echo", "input": {"x": [1, "\u00e9"]}},
    {"task_id": "b", "role": "echo", "input": 2, "depends_on": ["a"], "deadline": "1h"},
    {"task_id": "c", "role": "nobody", "input": null}])");
  REQUIRE(node.call("POST", "/v1/tasks?wait=30s", tasks).status == 201);
  auto found = lines_of(export_with({"--config", node.here.path("node.json")}));
  REQUIRE(found.size() == 3);
  for (const auto& task : found)
    CHECK(task == node.call("GET", "/v1/tasks/" + task["task_id"].get<std::string>()).parsed());
  CHECK(found[0]["max_attempts"] == 5);
  CHECK(found[0]["timeout_ms"] == 7'000);
  CHECK(found[1]["depends_on"] == json{"a"});
  node.signal(SIGTERM);
  CHECK(node.node->exit_code() == 0);
  auto later = lines_of(export_with({"--journal", kept.path("tasks.db")}));
  REQUIRE(later.size() == 3);
  CHECK(later[0]["output"] == found[0]["output"]);
  program full{"sh",
               {"-c", "\"$0\" export --journal \"$1\" > /dev/full", ROLECALL_PROGRAM,
                kept.path("tasks.db")}};
  CHECK(full.exit_code() == 1);
}

TEST_CASE("export tells what is wrong with a journal, and makes none") {
  folder here;
  auto none = export_with({"--journal", here.path("none.db")});
  CHECK(none.code == 2);
  CHECK(none.errors == "rolecall: export: there is no journal " + here.path("none.db") + "\n");
  CHECK_FALSE(std::filesystem::exists(here.path("none.db")));
  auto text = export_with({"--journal", here.write("text", "this is not a database at all")});
  CHECK(text.code == 2);
  CHECK(text.errors.find("is damaged") != std::string::npos);
  CHECK(export_with({"--journal", ""}).code == 2);
}
