#include "app/bundled_service.hpp"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <stdexcept>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace rolecall {

namespace {

constexpr int start_timeout_ms = 10'000;
constexpr int end_timeout_ms = 5'000;

[[noreturn]] void fail(const std::string& what, int error) {
  throw std::runtime_error("cannot start the bundled agents service: " + what + ": " +
                           std::strerror(error));
}

} // namespace

bundled_service::bundled_service(const std::filesystem::path& roles) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0)
    fail("pipe", errno);
  std::vector<std::string> words{"rolecall",          "agents",  "--listen",    "127.0.0.1:0", "-q",
                                 "--die-with-parent", "--roles", roles.string()};
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (auto& word : words)
    argv.push_back(word.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  // A group of its own: Ctrl-C in the terminal is for us, and we end it in order.
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  auto error = posix_spawn(&pid_, "/proc/self/exe", &actions, &attributes, argv.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  if (error != 0) {
    close(ends[0]);
    fail("spawn", error);
  }
  try {
    read_url(ends[0]);
  } catch (...) {
    close(ends[0]);
    end();
    throw;
  }
  close(ends[0]);
}

bundled_service::~bundled_service() {
  end();
}

void bundled_service::read_url(int from) {
  constexpr std::string_view start = "listening on ";
  std::string line;
  while (line.find('\n') == std::string::npos) {
    pollfd waiting{from, POLLIN, 0};
    auto ready = poll(&waiting, 1, start_timeout_ms);
    if (ready < 0 && errno == EINTR)
      continue;
    if (ready == 0)
      throw std::runtime_error("the bundled agents service did not start in time");
    char chunk[256];
    auto count = ready < 0 ? -1 : read(from, chunk, sizeof chunk);
    if (count <= 0)
      throw std::runtime_error("the bundled agents service ended before it listened");
    line.append(chunk, static_cast<std::size_t>(count));
  }
  if (!line.starts_with(start))
    throw std::runtime_error("the bundled agents service said something unexpected: " + line);
  url_ = line.substr(start.size(), line.find('\n') - start.size());
}

void bundled_service::end() {
  if (pid_ <= 0)
    return;
  kill(pid_, SIGTERM);
  // A pidfd becomes readable when the process has ended: a wait with a bound, without polling.
  auto fd = static_cast<int>(syscall(SYS_pidfd_open, pid_, 0));
  if (fd >= 0) {
    pollfd waiting{fd, POLLIN, 0};
    if (poll(&waiting, 1, end_timeout_ms) == 0)
      kill(pid_, SIGKILL);
    close(fd);
  }
  while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR)
    continue;
  pid_ = -1;
}

} // namespace rolecall
