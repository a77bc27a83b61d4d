#pragma once

#include "app/agents_service/supervisor.hpp"
#include "tests/app/loop_fixture.hpp"

#include <catch2/catch.hpp>

#include <optional>
#include <string>
#include <variant>

namespace rolecall::tests {

/// A supervisor that runs shell scripts in a folder of their own.
class command_fixture {
public:
  test_loop loop;
  temporary_folder folder;
  agents::supervisor processes{loop.context, std::chrono::milliseconds{100}};

  /// A command under way, and what came of it.
  struct started {
    std::shared_ptr<agents::process> handle;
    std::shared_ptr<std::string> output = std::make_shared<std::string>();
    std::shared_ptr<std::optional<agents::exit_status>> end =
        std::make_shared<std::optional<agents::exit_status>>();
  };

  agents::command_line script(const std::string& text) const {
    return {"/bin/sh", {"sh", "-c", text}, folder.path(), {"PATH=/usr/bin:/bin"}};
  }

  started start(const std::string& text) {
    started result;
    auto process = processes.start(
        script(text), {[output = result.output](std::string_view bytes) { *output += bytes; },
                       [end = result.end](agents::exit_status status) { *end = status; }});
    INFO((process.index() == 1 ? std::get<1>(process) : ""));
    REQUIRE(process.index() == 0);
    result.handle = std::get<0>(process);
    return result;
  }

  bool wait(const started& command) {
    return loop.run_until([&] { return command.end->has_value(); });
  }

  /// Waits until a script has written a process id to that file.
  pid_t wait_for_pid(const std::string& file) {
    REQUIRE(loop.run_until([&] { return folder.pid_in(file) != 0; }));
    return folder.pid_in(file);
  }

  bool wait_until_gone(pid_t pid) {
    return loop.run_until([&] { return !is_alive(pid); });
  }
};

} // namespace rolecall::tests
