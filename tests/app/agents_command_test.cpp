#include "app/agents_service/process_tree.hpp"
#include "tests/app/program_fixture.hpp"

#include <csignal>

using namespace rolecall;
using namespace std::chrono_literals;
using rolecall::tests::caller;
using rolecall::tests::json;
using rolecall::tests::program;
using rolecall::tests::service_fixture;
using rolecall::tests::stubborn_script;

namespace {

const std::string listening = "listening on ";

/// `rolecall agents` with roles, as a child process.
class command_line_fixture {
public:
  rolecall::tests::test_loop loop;
  rolecall::tests::temporary_folder folder;

  std::vector<std::string> command(const json& roles, const std::string& listen = "localhost:0") {
    folder.write("roles.json", json{{"roles", roles}}.dump());
    return {"agents", "--roles", (folder.path() / "roles.json").string(), "--listen", listen};
  }
  static std::string url_of(program& service) {
    auto line = service.line();
    REQUIRE(line.starts_with(listening + "http://127.0.0.1:"));
    return line.substr(listening.size());
  }
  /// A role whose processes write their ids into the folder and cannot be killed by SIGTERM.
  json stubborn_role() {
    auto role =
        service_fixture::shell_role("(" + stubborn_script + ") & setsid sh -c '" +
                                    "echo $$ > session; exec sleep infinity' & echo $$ > root;" +
                                    "trap \"\" TERM; while :; do wait; done");
    role["directory"] = folder.path().string();
    return role;
  }
  std::vector<pid_t> wait_for_pids() {
    std::vector<pid_t> result;
    for (const auto* file : {"pid", "session", "root"}) {
      REQUIRE(loop.run_until([&] { return folder.pid_in(file) != 0; }));
      result.push_back(folder.pid_in(file));
    }
    return result;
  }
  bool all_gone(const std::vector<pid_t>& pids) {
    return loop.run_until([&] {
      for (auto pid : pids)
        if (rolecall::tests::is_alive(pid))
          return false;
      return true;
    });
  }
};

} // namespace

TEST_CASE_METHOD(command_line_fixture,
                 "rolecall agents says where it listens, serves, and ends in order") {
  program service{command(json::array({service_fixture::shell_role("cat")}))};
  auto url = url_of(service);
  caller client{loop, url};
  CHECK(client.call("GET", "/health").status == 200);
  caller by_name{loop, "http://localhost" + url.substr(url.rfind(':'))};
  CHECK(by_name.call("POST", "/execute", service_fixture::task(1)).status == 200);
  ::kill(service.pid(), GENERATE(SIGTERM, SIGINT, SIGHUP));
  CHECK(service.exit_code() == 0);
  CHECK(service.rest_of_output().empty());
  CHECK(service.errors().find("task t1 on worker-") != std::string::npos);
}

TEST_CASE_METHOD(command_line_fixture,
                 "SIGTERM ends the service within two seconds, whatever its agents do") {
  program service{command(json::array({stubborn_role()}))};
  caller client{loop, url_of(service)};
  auto call = client.start("POST", "/execute", service_fixture::task(1));
  auto pids = wait_for_pids();
  auto before = std::chrono::steady_clock::now();
  ::kill(service.pid(), SIGTERM);
  CHECK(client.wait(call).code() == "shutting_down");
  CHECK(service.exit_code() == 0);
  CHECK(std::chrono::steady_clock::now() - before < 2s);
  for (auto pid : pids)
    CHECK_FALSE(rolecall::tests::is_alive(pid));
}

TEST_CASE_METHOD(command_line_fixture, "a service that is killed leaves no process behind") {
  program service{command(json::array({stubborn_role()}))};
  caller client{loop, url_of(service)};
  auto call = client.start("POST", "/execute", service_fixture::task(1));
  auto pids = wait_for_pids();
  auto inner = agents::children_of(service.pid());
  REQUIRE(inner.size() == 1);
  SECTION("the guardian, which is the process that its parent knows") {
    ::kill(service.pid(), SIGKILL);
  }
  SECTION("the service proper") {
    ::kill(inner.front(), SIGKILL);
    CHECK(service.exit_code() == 1);
  }
  pids.push_back(inner.front());
  CHECK(all_gone(pids));
}

TEST_CASE_METHOD(command_line_fixture, "a service ends with its parent if it was told to") {
  auto words = command(json::array({stubborn_role()}), "127.0.0.1:0");
  // The shell is the parent: it ends when its stdin does.
  std::string script = "exec 3<&0; " ROLECALL_PROGRAM " agents --die-with-parent -q --roles '" +
                       words[2] + "' --listen 127.0.0.1:0 > url & echo $! > service; read line <&3";
  std::array<int, 2> input{};
  REQUIRE(::pipe2(input.data(), O_CLOEXEC) == 0);
  auto parent = ::fork();
  if (parent == 0) {
    ::dup2(input[0], STDIN_FILENO);
    if (::chdir(folder.path().c_str()) == 0)
      ::execl("/bin/sh", "sh", "-c", script.c_str(), nullptr);
    ::_exit(127);
  }
  ::close(input[0]);
  REQUIRE(loop.run_until([&] { return folder.read("url").ends_with('\n'); }));
  auto line = folder.read("url");
  caller client{loop, line.substr(listening.size(), line.size() - listening.size() - 1)};
  auto call = client.start("POST", "/execute", service_fixture::task(1));
  auto pids = wait_for_pids();
  pids.push_back(folder.pid_in("service"));
  ::close(input[1]);
  ::waitpid(parent, nullptr, 0);
  CHECK(all_gone(pids));
}

TEST_CASE_METHOD(command_line_fixture, "a port that is taken is an error that names it") {
  auto roles = json::array({service_fixture::shell_role("cat")});
  program first{command(roles)};
  auto url = url_of(first);
  auto port = url.substr(url.rfind(':'));
  program second{command(roles, "127.0.0.1" + port)};
  CHECK(second.exit_code() == 1);
  auto errors = second.errors();
  CHECK(errors.find("127.0.0.1" + port) != std::string::npos);
  CHECK(errors.find("in use") != std::string::npos);
  CHECK(second.rest_of_output().empty());
}

TEST_CASE_METHOD(command_line_fixture,
                 "what is wrong on the command line or in the file ends with 2") {
  auto roles = json::array({service_fixture::shell_role("cat")});
  auto expect = [](std::vector<std::string> arguments, const std::string& part) {
    program run{std::move(arguments)};
    CHECK(run.exit_code() == 2);
    auto errors = run.errors();
    INFO(errors);
    CHECK(errors.find(part) != std::string::npos);
    CHECK(run.rest_of_output().empty());
  };
  expect(command(roles, "0.0.0.0:0"), "--allow-remote");
  expect(command(roles, "localhost"), "has no port");
  expect(command(json::array({json::object()})), "/roles/0/command: is missing");
  expect({"agents", "--roles", "no-such-file.json"}, "no-such-file.json: cannot be read");
  expect({"agents", "--max-agents", "0"}, "--max-agents");
  expect({"agents", "--no-such-option"}, "--no-such-option");
  expect({}, "subcommand is required");
}

TEST_CASE("rolecall tells its version and its commands") {
  program version{{"--version"}};
  CHECK(version.exit_code() == 0);
  CHECK(version.line().starts_with("rolecall "));
  program help{{"--help"}};
  CHECK(help.exit_code() == 0);
  CHECK(help.rest_of_output().find("agents") != std::string::npos);
}
