#pragma once

#include "tests/app/service_fixture.hpp"

#include <catch2/catch.hpp>

#include <array>
#include <chrono>
#include <cstdlib>
#include <string>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace rolecall::tests {

/// The real `rolecall` as a child process; its stdout and stderr are read. Killed at the end.
class program {
public:
  explicit program(std::vector<std::string> arguments)
      : program{ROLECALL_PROGRAM, std::move(arguments)} {}

  /// Another one, by its path or looked up in PATH.
  program(const std::string& file, std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), file);
    std::vector<char*> argv;
    argv.reserve(arguments.size() + 1);
    for (auto& argument : arguments)
      argv.push_back(argument.data());
    argv.push_back(nullptr);
    std::array<int, 2> output{}, error{};
    REQUIRE(::pipe2(output.data(), O_CLOEXEC) == 0);
    REQUIRE(::pipe2(error.data(), O_CLOEXEC) == 0);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, output[1], STDOUT_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions, error[1], STDERR_FILENO);
    // The test's own sockets are not the program's: a port would stay taken as long as it lives.
    ::posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
    REQUIRE(::posix_spawnp(&pid_, file.c_str(), &actions, nullptr, argv.data(), environ) == 0);
    ::posix_spawn_file_actions_destroy(&actions);
    ::close(output[1]);
    ::close(error[1]);
    output_ = output[0];
    error_ = error[0];
  }
  ~program() {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
    ::close(output_);
    ::close(error_);
  }
  program(const program&) = delete;
  program& operator=(const program&) = delete;

  pid_t pid() const { return pid_; }

  /// The next line of stdout, without the line break.
  std::string line() {
    std::string result;
    for (char c = 0; ::read(output_, &c, 1) == 1 && c != '\n';)
      result += c;
    return result;
  }

  /// Waits for the end (a minute at most) and gives the wait status.
  int wait() {
    auto handle = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0));
    pollfd ended{handle, POLLIN, 0};
    REQUIRE(::poll(&ended, 1, 60'000) == 1);
    ::close(handle);
    int status = 0;
    REQUIRE(::waitpid(pid_, &status, 0) == pid_);
    pid_ = -1;
    return status;
  }
  int exit_code() {
    auto status = wait();
    REQUIRE(WIFEXITED(status));
    return WEXITSTATUS(status);
  }

  /// All that is left to be read; to be called when the program has ended.
  std::string rest_of_output() { return read_all(output_); }
  std::string errors() { return read_all(error_); }

private:
  static std::string read_all(int from) {
    std::string result;
    char buffer[4'096];
    for (ssize_t size = 0; (size = ::read(from, buffer, sizeof buffer)) > 0;)
      result.append(buffer, static_cast<std::size_t>(size));
    return result;
  }

  pid_t pid_{-1};
  int output_{-1};
  int error_{-1};
};

} // namespace rolecall::tests
