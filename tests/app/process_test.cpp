#include "tests/app/command_fixture.hpp"

#include <csignal>

using namespace rolecall;
using rolecall::tests::command_fixture;

TEST_CASE_METHOD(command_fixture, "what a command writes arrives, then how it ended") {
  auto command = start("printf 'a\\nb'; exit 3");
  REQUIRE(wait(command));
  CHECK(*command.output == "a\nb");
  CHECK_FALSE((*command.end)->signaled);
  CHECK((*command.end)->number == 3);
}

TEST_CASE_METHOD(command_fixture, "a command that is killed says by which signal") {
  auto command = start("kill -9 $$");
  REQUIRE(wait(command));
  CHECK((*command.end)->signaled);
  CHECK((*command.end)->number == SIGKILL);
}

TEST_CASE_METHOD(command_fixture, "the end of stderr is kept, and no more than that") {
  auto command = start("head -c 100000 /dev/zero | tr '\\0' x >&2; printf 'the end\\n\\n' >&2");
  REQUIRE(wait(command));
  auto text = command.handle->error_text();
  CHECK(text.size() <= agents::process::max_error_bytes);
  CHECK(text.ends_with("xxxthe end"));
}

TEST_CASE_METHOD(command_fixture,
                 "input larger than a pipe holds passes through while output comes") {
  std::string input(3'000'000, 'x');
  auto command = start("cat");
  command.handle->write(input);
  command.handle->close_input();
  REQUIRE(wait(command));
  CHECK((*command.output == input)); // in brackets: not to be printed
}

TEST_CASE_METHOD(command_fixture, "a command that does not read its input is no failure") {
  std::string input(3'000'000, 'x');
  for (const auto* text : {"exec <&-; echo done", "echo done"}) {
    auto command = start(text);
    command.handle->write(input);
    command.handle->close_input();
    REQUIRE(wait(command));
    CHECK(*command.output == "done\n");
    CHECK((*command.end)->number == 0);
  }
}

TEST_CASE_METHOD(command_fixture,
                 "a command gets its directory, its environment, and no descriptor of ours") {
  auto command = start("pwd -P; echo \"$PATH\"; ls /proc/self/fd | wc -l");
  REQUIRE(wait(command));
  auto directory = std::filesystem::canonical(folder.path()).string();
  // Four: stdin, stdout, stderr, and the one with which ls reads the folder.
  CHECK(*command.output == directory + "\n/usr/bin:/bin\n4\n");
}

TEST_CASE_METHOD(command_fixture, "a command starts with no signal ignored or blocked") {
  auto before = std::signal(SIGPIPE, SIG_IGN);
  auto command = start("grep -E 'Sig(Ign|Blk)' /proc/self/status | tr -d '0\\n\\t'");
  std::signal(SIGPIPE, before);
  REQUIRE(wait(command));
  CHECK(*command.output == "SigBlk:SigIgn:");
}

TEST_CASE_METHOD(command_fixture, "what cannot be executed is reported at once") {
  auto line = script("");
  line.program = folder.path() / "nothing";
  auto missing = processes.start(line, {});
  REQUIRE(missing.index() == 1);
  CHECK(std::get<1>(missing) ==
        "cannot execute " + line.program.string() + ": No such file or directory");

  folder.write("text", "no program");
  std::filesystem::permissions(folder.path() / "text", std::filesystem::perms::owner_all);
  line.program = folder.path() / "text";
  auto no_program = processes.start(line, {});
  REQUIRE(no_program.index() == 1);
  CHECK(std::get<1>(no_program).ends_with("Exec format error"));

  line = script("");
  line.directory = folder.path() / "nowhere";
  auto no_directory = processes.start(line, {});
  REQUIRE(no_directory.index() == 1);
  CHECK(std::get<1>(no_directory) == "cannot enter the working directory " +
                                         line.directory.string() + ": No such file or directory");
}
