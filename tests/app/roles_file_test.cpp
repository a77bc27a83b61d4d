#include "app/agents_service/roles_file.hpp"
#include "tests/app/loop_fixture.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

using namespace rolecall;
using namespace std::chrono_literals;
using rolecall::tests::temporary_folder;

namespace {

namespace fs = std::filesystem;

class roles_fixture {
public:
  temporary_folder folder;

  std::optional<std::vector<agents::role>> read(const std::string& text) {
    problems.clear();
    return agents::read_roles(text, folder.path(), fs::current_path(), problems);
  }
  /// What is wrong with one role, a line for each problem.
  std::string problems_of(const std::string& role) {
    CHECK_FALSE(read(R"({"roles": [)" + role + "]}"));
    return to_text(problems);
  }

  std::vector<problem> problems;
};

} // namespace

TEST_CASE_METHOD(roles_fixture, "a role needs a name and a command; all else has a default") {
  auto roles = read(R"({"roles": [{"role": "worker", "command": ["sh", "-c", ""]}]})");
  REQUIRE(roles);
  REQUIRE(roles->size() == 1);
  const auto& role = roles->front();
  CHECK(role.name == "worker");
  CHECK(role.program.is_absolute());
  CHECK(role.command == std::vector<std::string>{"sh", "-c", ""});
  CHECK(role.mode == agents::process_mode::per_task);
  CHECK(role.directory == fs::current_path());
  CHECK(role.timeout == 60s);
  CHECK(role.max_concurrency == 1);
  CHECK(role.max_agents == 64);
  CHECK(role.max_output_bytes == 1'048'576);
}

TEST_CASE_METHOD(roles_fixture, "all fields of a role are read") {
  fs::create_directory(folder.path() / "place");
  folder.write("place/tool", "#!/bin/sh\n");
  fs::permissions(folder.path() / "place/tool", fs::perms::owner_all);
  auto roles = read(R"({"roles": [{"role": "worker", "command": ["place/tool"],
    "skills": {"cpp": 0.9}, "mode": "per_agent", "max_concurrency": 1, "directory": "place",
    "environment": {"A": "b=c", "EMPTY": ""}, "timeout": "1.5s", "max_agents": 2,
    "max_output": 10}]})");
  INFO(to_text(problems));
  REQUIRE(roles);
  const auto& role = roles->front();
  CHECK(role.program == folder.path() / "place/tool");
  CHECK(role.skills == std::map<std::string, double>{{"cpp", 0.9}});
  CHECK(role.mode == agents::process_mode::per_agent);
  CHECK(role.directory == folder.path() / "place");
  CHECK(role.environment == std::map<std::string, std::string>{{"A", "b=c"}, {"EMPTY", ""}});
  CHECK(role.timeout == 1'500ms);
  CHECK(role.max_agents == 2);
  CHECK(role.max_output_bytes == 10);
}

TEST_CASE_METHOD(roles_fixture, "a command that cannot be executed is a problem") {
  folder.write("text", "no program");
  CHECK(problems_of(R"({"role": "a", "command": ["no-such-program-anywhere"]})") ==
        "/roles/0/command/0: \"no-such-program-anywhere\" is not found in PATH; to name a file "
        "beside the roles file, write \"./no-such-program-anywhere\"\n");
  CHECK(problems_of(R"({"role": "a", "command": ["./nothing"]})") ==
        "/roles/0/command/0: \"" + (folder.path() / "nothing").string() + "\" does not exist\n");
  CHECK(problems_of(R"({"role": "a", "command": ["./text"]})") ==
        "/roles/0/command/0: \"" + (folder.path() / "text").string() +
            "\" is not executable (chmod +x)\n");
  CHECK(problems_of(R"({"role": "a", "command": ["/"]})") ==
        "/roles/0/command/0: \"/\" is not a file\n");
}

TEST_CASE_METHOD(roles_fixture, "every problem is reported at once, each at its place") {
  auto text = problems_of(R"({"role": "", "command": ["sh", 1], "timeuot": "1s", "timeout": "0s",
    "directory": "nowhere", "environment": {"A=B": "x", "C": 1}, "skills": {"s": 2},
    "mode": "per_agent", "max_concurrency": 2, "max_agents": 0, "max_output": "1 MiB"})");
  for (std::string start :
       {"/roles/0/role: ", "/roles/0/command/1: ", "/roles/0/timeuot: unknown field; did you mean ",
        "/roles/0/timeout: ", "/roles/0/directory: ", "/roles/0/environment/A=B: ",
        "/roles/0/environment/C: ", "/roles/0/skills/s: ", "/roles/0/max_concurrency: must be 1 ",
        "/roles/0/max_agents: ", "/roles/0/max_output: "}) {
    INFO(text);
    CHECK(("\n" + text).find("\n" + start) != std::string::npos);
  }
}

TEST_CASE_METHOD(roles_fixture,
                 "a file without roles, with one twice, or that is no JSON is refused") {
  for (const auto* text : {"", "[]", "{", "{}", R"({"roles": []})", R"({"roles": {}})",
                           R"({"roles": [1]})", R"({"roles": [{}]})"}) {
    INFO(text);
    CHECK_FALSE(read(text));
    CHECK_FALSE(problems.empty());
  }
  CHECK_FALSE(read(R"({"roles": [{"role": "a", "command": ["sh"]},
                                 {"role": "a", "command": ["sh"]}]})"));
  CHECK(to_text(problems) == "/roles/1/role: \"a\" is there already\n");
}

TEST_CASE_METHOD(roles_fixture, "a file is found beside its commands, from wherever it is named") {
  fs::create_directory(folder.path() / "bin");
  folder.write("bin/tool", "#!/bin/sh\n");
  fs::permissions(folder.path() / "bin/tool", fs::perms::owner_all);
  folder.write("roles.json", R"({"roles": [{"role": "a", "command": ["./bin/tool"]}]})");
  auto roles = agents::load_roles_file(folder.path() / "roles.json", problems);
  REQUIRE(roles);
  CHECK(roles->front().program == folder.path() / "bin/tool");
  CHECK_FALSE(agents::load_roles_file(folder.path() / "nothing.json", problems));
  CHECK(problems.back().what == "cannot be read: No such file or directory");
  CHECK_FALSE(agents::load_roles_file(folder.path(), problems));
  CHECK(problems.back().what == "cannot be read: it is a directory");
}
