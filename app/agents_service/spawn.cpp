#include "app/agents_service/spawn.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace rolecall::agents {

namespace {

/// A pipe, both ends closed on exec and, unless they are taken out, on leaving the scope.
class pipe_ends {
public:
  pipe_ends() { ok_ = ::pipe2(ends_.data(), O_CLOEXEC) == 0; }
  ~pipe_ends() {
    for (int end : ends_)
      if (end >= 0)
        ::close(end);
  }
  pipe_ends(const pipe_ends&) = delete;
  pipe_ends& operator=(const pipe_ends&) = delete;

  bool ok() const { return ok_; }
  int reading() const { return ends_[0]; }
  int writing() const { return ends_[1]; }
  void close_writing() { ::close(std::exchange(ends_[1], -1)); }
  int take_reading() { return non_blocking(std::exchange(ends_[0], -1)); }
  int take_writing() { return non_blocking(std::exchange(ends_[1], -1)); }

private:
  static int non_blocking(int descriptor) {
    ::fcntl(descriptor, F_SETFL, ::fcntl(descriptor, F_GETFL) | O_NONBLOCK);
    return descriptor;
  }

  std::array<int, 2> ends_{-1, -1};
  bool ok_;
};

struct failure {
  int step; ///< an index into `steps`
  int error;
};
constexpr std::array steps{"set up", "enter the working directory", "execute"};

/// All that the child needs, made before the fork.
struct child_plan {
  const char* program;
  const char* directory;
  char* const* arguments;
  char* const* environment;
  int input, output, error, status;
  pid_t parent;
};

void close_all_from(int first) {
  if (::close_range(static_cast<unsigned>(first), ~0U, 0) == 0)
    return;
  // Kernels before 5.9.
  for (int descriptor = first; descriptor < 65'536; ++descriptor)
    ::close(descriptor);
}

/// Between fork and exec: system calls only, because another thread of the parent may have held any
/// lock when it forked.
[[noreturn]] void run_child(const child_plan& plan) {
  int status = plan.status;
  auto give_up = [&status](int step) {
    failure report{step, errno};
    // Nobody is left to be told if this write fails.
    [[maybe_unused]] auto written = ::write(status, &report, sizeof report);
    ::_exit(127);
  };
  ::setpgid(0, 0);
  // From here on the kernel kills us with our parent; it may have died just before.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != plan.parent)
    ::_exit(127);
  if (::dup2(plan.input, STDIN_FILENO) < 0 || ::dup2(plan.output, STDOUT_FILENO) < 0 ||
      ::dup2(plan.error, STDERR_FILENO) < 0)
    give_up(0);
  constexpr int kept = STDERR_FILENO + 1;
  if (status != kept && ::dup3(status, kept, O_CLOEXEC) < 0)
    give_up(0);
  status = kept;
  close_all_from(kept + 1);
  // Ignored signals and the mask outlive exec; a program expects neither.
  struct sigaction standard {};
  standard.sa_handler = SIG_DFL;
  for (int number = 1; number < NSIG; ++number)
    ::sigaction(number, &standard, nullptr);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  if (::chdir(plan.directory) != 0)
    give_up(1);
  ::execve(plan.program, plan.arguments, plan.environment);
  give_up(2);
  ::_exit(127);
}

std::vector<char*> pointers_to(const std::vector<std::string>& texts) {
  std::vector<char*> result;
  result.reserve(texts.size() + 1);
  for (const auto& text : texts)
    result.push_back(const_cast<char*>(text.c_str())); // execve takes them so, and changes nothing
  result.push_back(nullptr);
  return result;
}

} // namespace

std::variant<spawned, std::string> spawn(const command_line& command) {
  pipe_ends input, output, error, status;
  if (!input.ok() || !output.ok() || !error.ok() || !status.ok())
    return std::string{"cannot make a pipe: "} + std::strerror(errno);
  auto arguments = pointers_to(command.arguments);
  auto environment = pointers_to(command.environment);
  child_plan plan{command.program.c_str(), command.directory.c_str(), arguments.data(),
                  environment.data(),      input.reading(),           output.writing(),
                  error.writing(),         status.writing(),          ::getpid()};
  // No signal handler of ours may run in the child, where it would write into our wake-up pipe.
  sigset_t all, before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  auto pid = ::fork();
  if (pid == 0)
    run_child(plan);
  auto fork_error = errno;
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (pid < 0)
    return std::string{"cannot fork: "} + std::strerror(fork_error);
  ::setpgid(pid, pid); // in the child, too: whoever comes first
  status.close_writing();
  failure report{};
  ssize_t got = 0;
  do
    got = ::read(status.reading(), &report, sizeof report);
  while (got < 0 && errno == EINTR);
  if (got == 0)
    return spawned{pid, input.take_writing(), output.take_reading(), error.take_reading()};
  while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
  return "cannot " + std::string{steps.at(static_cast<std::size_t>(report.step))} + " " +
         (report.step == 1 ? command.directory : command.program).string() + ": " +
         std::strerror(report.error);
}

} // namespace rolecall::agents
