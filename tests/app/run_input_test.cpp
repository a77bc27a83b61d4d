// Wrong input of `rolecall run`: one error per problem, exit 2, nothing started.
#include "tests/app/run_fixture.hpp"

#include "app/config.hpp"
#include "app/run/batch.hpp"

using namespace rolecall;
using namespace rolecall::tests;

namespace {

std::string problems_of(const std::string& text) {
  auto result = parse_batch(text);
  const auto* problems = std::get_if<std::vector<problem>>(&result);
  return problems ? to_text(*problems) : "";
}

std::vector<std::string> ids_of(const std::string& text) {
  auto result = parse_batch(text);
  INFO(problems_of(text));
  REQUIRE(std::holds_alternative<batch>(result));
  std::vector<std::string> ids;
  for (const auto& task : std::get<batch>(result).tasks)
    ids.push_back(task.id.str());
  return ids;
}

using names = std::vector<std::string>;

} // namespace

TEST_CASE("a batch is an object, an array, or a task a line") {
  CHECK(ids_of(R"({"tasks":[{"task_id":"a","role":"r","input":1}]})") == names{"a"});
  CHECK(ids_of(R"([{"task_id":"a","role":"r","input":1},{"role":"r","input":2}])") ==
        names{"a", "task-2"});
  CHECK(ids_of("{\"task_id\":\"a\",\"role\":\"r\",\"input\":1}\n\n"
               "{\"role\":\"r\",\"input\":2}\n") == names{"a", "task-2"});
  CHECK(ids_of(R"({"role":"r","input":1})") == names{"task-1"});
  CHECK(ids_of("\xEF\xBB\xBF{\"role\":\"r\",\"input\":1}\r\n{\"role\":\"r\",\"input\":2}\r\n") ==
        names{"task-1", "task-2"});
  CHECK(ids_of("\xEF\xBB\xBF[{\"role\":\"r\",\"input\":1}]") == names{"task-1"});
}

TEST_CASE("tasks without an id get one that no other task has") {
  CHECK(ids_of(R"([{"role":"r","input":1},{"task_id":"task-1","role":"r","input":1}])") ==
        names{"task-3", "task-1"});
}

TEST_CASE("a batch that cannot be read is told with its place") {
  CHECK(problems_of("") == "line 1: is empty: JSON is expected\n");
  CHECK(problems_of("hello").find("line 1, column 1: is not JSON") == 0);
  CHECK(
      problems_of("{\"tasks\": [\n {\"role\": \"r\"").find("line 2, column 14: is not complete") ==
      0);
  CHECK(problems_of("[{\"role\":\"\xff\",\"input\":1}]").find("not UTF-8") != std::string::npos);
  CHECK(problems_of(std::string(1'000, '[') + std::string(1'000, ']')).find("deeper than") !=
        std::string::npos);
  auto deep = R"([{"role":"r","input":)" + std::string(1'000, '[') + std::string(1'000, ']') + "}]";
  CHECK(problems_of(deep).find("deeper than") != std::string::npos);
  CHECK(problems_of("{}") == "/tasks: is missing\n");
  CHECK(problems_of(R"({"tasks":[]})") == "/tasks: is empty: there is nothing to run\n");
  CHECK(problems_of("[]") == "is empty: there is nothing to run\n");
  CHECK(problems_of("7") == "must be an object, not number\n");
  CHECK(problems_of(R"({"tasks":{}})") == "/tasks: must be an array, not object\n");
}

TEST_CASE("every problem of a batch is told, with pointer or line") {
  CHECK(problems_of(R"({"tasks":[{"task_id":"a","rolle":"r","input":1},
                                 {"task_id":"a","role":"r","input":1,"timeout":"0s"}],"x":1})") ==
        R"(/tasks/0/role: is missing
/tasks/0/rolle: unknown field; did you mean "role"?
/tasks/1/timeout: must be a duration with a unit, at least 1ms and at most 3650d ("250ms", "30s", "2m"), not "0s"
/tasks/1/task_id: "a" is the id of /tasks/0 already
/x: unknown field; known are: tasks
)");
  CHECK(problems_of("{\"role\":\"r\",\"input\":1}\n{\"role\":\"r\"}\n{broken\n") ==
        "line 2, /input: is missing\n"
        "line 3, column 2: is not JSON: syntax error while parsing object key - invalid literal; "
        "last read: '{b'; expected string literal\n");
}

TEST_CASE("unknown roles and skills are told with those that exist") {
  batch tasks;
  for (const auto* role : {"reviewer", "reveiwer", "tester"}) {
    task_spec task;
    task.role = role_name{role};
    task.skills = {"cpp"};
    tasks.tasks.push_back(task);
    tasks.where.push_back("/tasks/" + std::to_string(tasks.where.size()));
  }
  role_directory directory{true, {}};
  role_offer offer;
  offer.role = role_name{"reviewer"};
  offer.skills = {{"cpp", 1}};
  directory.offers.push_back(offer);
  agent_record running;
  running.role = role_name{"tester"};
  running.skills = {{"c", 1}};
  CHECK(
      to_text(check_roles(tasks, directory, {running})) ==
      R"(/tasks/1/role: unknown role "reveiwer"; did you mean "reviewer"? There are: reviewer, tester
/tasks/2/skills: unknown skill "cpp"; did you mean "c"? There are: c for the role "tester"
)");
}

TEST_CASE("a configuration is checked as a whole") {
  auto result = parse_config(R"({
    "services": [{"name": "a", "url": "ftp://x"}, {"name": "a", "url": "http://h:1", "protocol": "x"}],
    "roles": {"r": {"service": "b", "min_agents": 9, "max_agents": 2, "idle_timeout": "5"}},
    "execution": {"timeout": "0s", "max_attempts": 0, "patiense": "1s",
                  "hedge": 1, "hedge_share": 1.5},
    "rolls": {}})");
  REQUIRE(std::holds_alternative<std::vector<problem>>(result));
  auto text = to_text(std::get<std::vector<problem>>(result));
  for (const auto* expected :
       {"/services/0/url: ", "/services/1/protocol: ", "/services/1/name: \"a\" is the name of two",
        "/roles/r/service: no service is called \"b\"", "/roles/r/min_agents: must not be greater",
        "/roles/r/idle_timeout: ", "/execution/timeout: ", "/execution/max_attempts: ",
        "/execution/hedge: must be true or false",
        "/execution/hedge_share: ", "did you mean \"patience\"", "did you mean \"roles\""}) {
    INFO(text);
    CHECK(text.find(expected) != std::string::npos);
  }
}

TEST_CASE("what is wrong with a cluster is told, all of it") {
  auto result = parse_config(R"({
    "services": [],
    "cluster": {"name": "", "listen": "10.0.0.1:7481", "advertise": "nowhere",
                "peers": ["b", "10.0.0.2:7481", "http://x:1/y"],
                "heartbeat_interval": "2s", "heartbeat_timeout": "3s", "tls": {"key": "a.key"},
                "secret": 1}})");
  REQUIRE(std::holds_alternative<std::vector<problem>>(result));
  auto text = to_text(std::get<std::vector<problem>>(result));
  INFO(text);
  for (const auto* expected :
       {"/node/name: is missing",
        "/cluster/name: ", "/cluster/advertise: \"nowhere\" is no address",
        "/cluster/peers: \"b\" is no address", "/cluster/peers: \"http://x:1/y\" is no address",
        "/cluster/heartbeat_timeout: is less than two times",
        "/cluster/tls/certificate: is missing", "/cluster/tls/ca: is missing", "/cluster/secret: ",
        "/cluster/listen: \"10.0.0.1\" can be reached from other machines, and needs TLS",
        "/cluster/peers: \"10.0.0.2:7481\" is on another machine, and needs TLS"})
    CHECK(text.find(expected) != std::string::npos);
}

TEST_CASE("a node of a cluster needs an address or peers, and may leave all agents to others") {
  auto alone = parse_config(R"({"node": {"name": "a"}, "cluster": {}})");
  REQUIRE(std::holds_alternative<std::vector<problem>>(alone));
  CHECK(to_text(std::get<std::vector<problem>>(alone)).find("/cluster/listen: is missing") !=
        std::string::npos);
  auto entrance = parse_config(
      R"({"node": {"name": "a"}, "services": [], "cluster": {"peers": ["localhost:7481", "[::1]:7482"]}})");
  REQUIRE(std::holds_alternative<config>(entrance));
  CHECK(std::get<config>(entrance).fleet.services.empty());
  CHECK(std::get<config>(entrance).cluster->peers.size() == 2);
}

TEST_CASE("contradictions in the scaling are told, all of them") {
  auto result = parse_config(R"({
    "roles": {"r": {"min_agents": 3, "max_agents": 2, "warm_spares": 5, "target_utilization": 0},
              "s": {"min_agents": 4}},
    "scaling": {"max_agents": 6, "stable_window": "1s", "panic_window": "2s", "panic_threshold": 0.5,
                "target_utilization": 1.5, "spawn_rate": 0, "spawn_burst": 0}})");
  REQUIRE(std::holds_alternative<std::vector<problem>>(result));
  auto text = to_text(std::get<std::vector<problem>>(result));
  INFO(text);
  for (const auto* expected :
       {"/roles/r/min_agents: must not be greater than max_agents, which is 2",
        "/roles/r/warm_spares: must not be greater than max_agents, which is 2",
        "/roles/r/target_utilization: ",
        "/scaling/max_agents: must not be less than the min_agents of all roles together, which "
        "are 7",
        "/scaling/panic_window: must not be longer than stable_window, which is 1s",
        "/scaling/panic_threshold: ", "/scaling/target_utilization: ", "/scaling/spawn_rate: ",
        "/scaling/spawn_burst: "})
    CHECK(text.find(expected) != std::string::npos);
}

TEST_CASE("a role has the scaling that is configured for all, but for what it names") {
  auto result = parse_config(R"({
    "roles": {"r": {"target_utilization": 0.5, "warm_spares": 1}, "s": {}},
    "scaling": {"max_agents": 6, "stable_window": "3s", "target_utilization": 0.7}})");
  REQUIRE(std::holds_alternative<config>(result));
  const auto& fleet = std::get<config>(result).fleet;
  CHECK(fleet.roles.at(role_name{"r"}).target_utilization == 0.5);
  CHECK(fleet.roles.at(role_name{"r"}).warm_spares == 1);
  CHECK(fleet.roles.at(role_name{"s"}).target_utilization == 0.7);
  CHECK(fleet.defaults.target_utilization == 0.7);
  CHECK(fleet.max_agents == 6);
  CHECK(fleet.windows.panic == millis{3'000}); // the default is longer than what it belongs to
}

TEST_CASE("what is wrong with a health check is told, all of it") {
  auto result = parse_config(R"({"roles": {
    "a": {"health_check": {"interval": "1s", "timeout": "1s", "unhealthy_threshold": 0}},
    "b": {"health_check": {"input": 1, "intervall": "1s", "healthy_threshold": 1001}},
    "c": {"health_check": {"input": 1, "interval": "10", "timeout": "20s", "retire_after": 5}},
    "d": {"health_check": true}}})");
  REQUIRE(std::holds_alternative<std::vector<problem>>(result));
  auto text = to_text(std::get<std::vector<problem>>(result));
  INFO(text);
  for (const auto* expected :
       {"/roles/a/health_check/input: is missing",
        "/roles/a/health_check/timeout: is not less than interval, which is 1s",
        "/roles/a/health_check/unhealthy_threshold: ", "/roles/b/health_check/intervall: ",
        "did you mean \"interval\"",
        "/roles/b/health_check/healthy_threshold: ", "/roles/c/health_check/interval: ",
        "/roles/c/health_check/retire_after: ", "/roles/d/health_check: "})
    CHECK(text.find(expected) != std::string::npos);
  // With an interval that cannot be read, nothing contradicts it.
  CHECK(text.find("/roles/c/health_check/timeout") == std::string::npos);
}

TEST_CASE(
    "a health check has defaults for all but its input, and a timeout that fits its interval") {
  auto result = parse_config(R"({"roles": {
    "a": {"health_check": {"input": {"say": "ping"}}},
    "b": {"health_check": {"input": null, "interval": "1s", "retire_after": "5s"}}, "c": {}}})");
  REQUIRE(std::holds_alternative<config>(result));
  const auto& read = std::get<config>(result);
  REQUIRE(read.health.roles.size() == 2);
  const auto& a = read.health.roles.at(role_name{"a"});
  CHECK(a.input.str() == R"({"say":"ping"})");
  CHECK(a.interval == millis{10'000});
  CHECK(a.timeout == millis{5'000});
  const auto& b = read.health.roles.at(role_name{"b"});
  CHECK(b.input.str() == "null");
  CHECK(b.timeout == millis{500});
  CHECK(read.fleet.roles.at(role_name{"b"}).retire_unhealthy_after == millis{5'000});
}

TEST_CASE("the defaults need no configuration, and a configuration changes what it names") {
  auto defaults = default_config();
  CHECK(defaults.fleet.services.at(0).url == "http://localhost:8052");
  auto result = parse_config(
      R"({"services":[{"name":"s","url":"http://h:1/"}],"roles":{"r":{"max_agents":3,"hedge":true}},
          "execution":{"timeout":"5s"},"journal":{"path":"x"}})");
  REQUIRE(std::holds_alternative<config>(result));
  auto& read = std::get<config>(result);
  CHECK(read.fleet.services.at(0).url == "http://h:1");
  CHECK(read.fleet.roles.at(role_name{"r"}).max_agents == 3);
  CHECK(read.fleet.roles.at(role_name{"r"}).idle_timeout == millis{60'000});
  CHECK(read.coordinator.roles.at(role_name{"r"}).hedge == true);
  CHECK(read.coordinator.timeout == millis{5'000});
  CHECK(read.journal_path == "x");
  CHECK_FALSE(read.cluster);
}

TEST_CASE("the program refuses wrong input with exit code 2 and says why on stderr") {
  folder here;
  auto good = here.write("good.json", R"([{"role":"r","input":1}])");
  struct wrong {
    std::vector<std::string> arguments;
    std::string said;
  };
  const std::vector<wrong> examples{
      {{here.path("missing.json")}, "No such file"},
      {{here.path()}, "it is a directory"},
      {{here.write("empty.json", "")}, "is empty"},
      {{here.write("broken.json", "[")}, "line 1, column 2"},
      {{good, "--config", here.path("none.json")}, "No such file"},
      {{good, "--config", here.write("config.json", "{\"x\":1}")}, "/x: unknown field"},
      {{good, "--service", "localhost:8052"}, "http://"},
      {{good, "--service", "http://user:secret@localhost"}, "user info"},
      {{good, "--timeout", "0s"}, "--timeout"},
      {{good, "--timeout", "-5s"}, "timeout"},
      {{good, "--max-parallel", "0"}, "--max-parallel"},
      {{good, "--out", here.path("good.json") + "/x"}, "cannot make the folder"},
      {{good, "--roles", here.path("none.json")}, "none.json"},
      {{}, "FILE"},
      {{good, "--nonsense"}, "nonsense"}};
  for (const auto& example : examples) {
    auto ended = run_to_end(example.arguments);
    INFO(example.said << "\n" << ended.output << ended.errors);
    CHECK(ended.code == 2);
    CHECK(ended.errors.find(example.said) != std::string::npos);
    CHECK(ended.output.empty());
    CHECK(ended.errors.find("secret") == std::string::npos);
  }
}

TEST_CASE("a role that no service offers is refused before anything is started") {
  folder here;
  auto roles = here.write("roles.json", R"({"roles":[{"role":"echo","command":["cat"]}]})");
  auto tasks = here.write("tasks.json", R"([{"role":"echo","input":1},{"role":"ecko","input":1}])");
  auto ended = run_to_end({tasks, "--roles", roles, "--json"});
  CHECK(ended.code == 2);
  CHECK(ended.output.empty());
  CHECK(ended.errors.find("/1/role: unknown role \"ecko\"; did you mean \"echo\"?") !=
        std::string::npos);
}
