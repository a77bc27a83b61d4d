#include "tests/app/command_fixture.hpp"

#include <csignal>
#include <vector>

using namespace rolecall;
using rolecall::tests::command_fixture;
using rolecall::tests::is_alive;

namespace {

/// Starts, in a shell script, a process that ignores SIGTERM and writes its id to a file. `how` is
/// put before it.
std::string stubborn(const std::string& how, const std::string& file) {
  return how + " sh -c 'trap \"\" TERM; echo $$ > " + file + "; while :; do sleep infinity; done' ";
}

} // namespace

TEST_CASE_METHOD(command_fixture, "terminate ends a command that obeys, with SIGTERM") {
  auto command = start("echo $$ > pid; exec sleep infinity");
  wait_for_pid("pid");
  processes.terminate(command.handle);
  REQUIRE(wait(command));
  CHECK((*command.end)->number == SIGTERM);
}

TEST_CASE_METHOD(command_fixture,
                 "terminate kills a command that ignores SIGTERM after the grace") {
  auto command = start(stubborn("exec", "pid"));
  wait_for_pid("pid");
  processes.terminate(command.handle);
  processes.terminate(command.handle); // a second one changes nothing
  REQUIRE(wait(command));
  CHECK((*command.end)->number == SIGKILL);
}

TEST_CASE_METHOD(command_fixture, "terminate ends a command that is stopped") {
  auto command = start("echo $$ > pid; kill -STOP $$");
  wait_for_pid("pid");
  processes.terminate(command.handle);
  REQUIRE(wait(command));
  CHECK((*command.end)->number == SIGTERM);
}

TEST_CASE_METHOD(command_fixture,
                 "terminate reaches children, those in other sessions, and daemons") {
  auto command = start(stubborn("", "child") + "&" + stubborn("setsid", "session") + "&" +
                       "(setsid setsid " + stubborn("", "daemon") + "& ) ; echo $$ > pid; wait");
  std::vector<pid_t> pids;
  for (const auto* file : {"pid", "child", "session", "daemon"})
    pids.push_back(wait_for_pid(file));
  processes.terminate(command.handle);
  REQUIRE(wait(command));
  for (auto pid : pids)
    CHECK(wait_until_gone(pid));
}

TEST_CASE_METHOD(command_fixture, "what a command leaves behind is killed when it ends by itself") {
  auto command = start(stubborn("", "child") + "&" + stubborn("setsid", "session") + "&" +
                       "while [ ! -s child ] || [ ! -s session ]; do :; done; echo over");
  auto child = wait_for_pid("child");
  auto session = wait_for_pid("session");
  REQUIRE(wait(command));
  CHECK(*command.output == "over\n");
  CHECK((*command.end)->number == 0);
  CHECK(wait_until_gone(child));
  CHECK(wait_until_gone(session));
}

TEST_CASE_METHOD(command_fixture, "the daemon of a command that runs outlives other commands") {
  auto first = start("(" + stubborn("setsid", "daemon") + "& ) ; cat");
  auto daemon = wait_for_pid("daemon");
  auto second = start("echo");
  REQUIRE(wait(second));
  CHECK(is_alive(daemon));
  first.handle->close_input();
  REQUIRE(wait(first));
  CHECK(wait_until_gone(daemon));
}

TEST_CASE_METHOD(command_fixture,
                 "a command that was killed by somebody else takes its children along") {
  auto command = start(stubborn("", "child") + "& echo $$ > pid; wait");
  auto child = wait_for_pid("child");
  ::kill(wait_for_pid("pid"), SIGKILL);
  REQUIRE(wait(command));
  CHECK(wait_until_gone(child));
}

TEST_CASE_METHOD(command_fixture, "terminate_all ends everything and then says so") {
  std::vector<started> commands;
  for (const auto* file : {"one", "two", "three"})
    commands.push_back(start(stubborn("exec", file)));
  for (const auto* file : {"one", "two", "three"})
    wait_for_pid(file);
  bool gone = false;
  processes.terminate_all([&] { gone = true; });
  REQUIRE(loop.run_until([&] { return gone; }));
  for (const auto& command : commands)
    CHECK(command.end->has_value());
}

TEST_CASE_METHOD(command_fixture, "no zombie is left") {
  auto command = start("(sh -c 'echo $$ > orphan; exec cat' < /dev/null & ) ;"
                       "while [ ! -s orphan ]; do :; done; echo $$ > pid");
  auto orphan = wait_for_pid("orphan");
  auto pid = wait_for_pid("pid");
  REQUIRE(wait(command));
  // An id stays taken as long as its process has not been reaped.
  CHECK(loop.run_until([&] { return ::kill(orphan, 0) != 0 && ::kill(pid, 0) != 0; }));
}
