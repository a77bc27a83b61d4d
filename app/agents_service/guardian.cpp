#include "app/agents_service/guardian.hpp"

#include "app/agents_service/process_tree.hpp"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace rolecall::agents {

namespace {

/// Kills all that is below us, and what it starts meanwhile, until nothing is left. A process that
/// the kernel cannot end (it hangs in a device) is given up after a second.
void kill_all_descendants() {
  constexpr timespec pause{0, 10'000'000};
  sigset_t child_ended;
  ::sigemptyset(&child_ended);
  ::sigaddset(&child_ended, SIGCHLD);
  for (int round = 0; round < 100; ++round) {
    for (auto pid : descendants_of(::getpid()))
      ::kill(pid, SIGKILL);
    while (::waitpid(-1, nullptr, WNOHANG) > 0) {
    }
    if (::waitpid(-1, nullptr, WNOHANG) < 0)
      return; // no child, so no descendant either
    ::sigtimedwait(&child_ended, nullptr, &pause);
  }
}

/// Passes signals on until the child has ended; gives its wait status.
int guard(pid_t child, const sigset_t& signals) {
  for (;;) {
    int status = 0;
    for (pid_t ended = 0; (ended = ::waitpid(-1, &status, WNOHANG)) > 0;)
      if (ended == child)
        return status;
    int signal = ::sigwaitinfo(&signals, nullptr);
    if (signal > 0 && signal != SIGCHLD)
      ::kill(child, signal);
  }
}

} // namespace

int run_guarded(const std::function<int()>& work, bool die_with_parent) {
  if (die_with_parent) {
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (::getppid() == 1)
      return EXIT_SUCCESS; // the parent was gone before we asked
  }
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  sigset_t signals, before;
  ::sigemptyset(&signals);
  for (int signal : {SIGTERM, SIGINT, SIGHUP, SIGCHLD})
    ::sigaddset(&signals, signal);
  ::sigprocmask(SIG_BLOCK, &signals, &before);
  auto guardian = ::getpid();
  auto child = ::fork();
  if (child < 0) {
    std::fprintf(stderr, "rolecall: cannot fork: %s\n", std::strerror(errno));
    return EXIT_FAILURE;
  }
  if (child == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (::getppid() != guardian)
      return EXIT_FAILURE;
    ::sigprocmask(SIG_SETMASK, &before, nullptr);
    return work();
  }
  auto status = guard(child, signals);
  kill_all_descendants();
  return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILURE;
}

} // namespace rolecall::agents
