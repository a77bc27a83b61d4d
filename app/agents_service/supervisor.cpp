#include "app/agents_service/supervisor.hpp"

#include "app/agents_service/process_tree.hpp"
#include "app/random_id.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <csignal>
#include <utility>

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace rolecall::agents {

namespace {

constexpr std::string_view mark_variable = "ROLECALL_PROCESS";

exit_status decode(int status) {
  if (WIFSIGNALED(status))
    return {true, WTERMSIG(status)};
  return {false, WEXITSTATUS(status)};
}

void signal_with_descendants(pid_t root, int signal) {
  auto all = descendants_of(root);
  all.push_back(root);
  for (auto pid : all)
    ::kill(pid, signal);
}

} // namespace

supervisor::supervisor(boost::asio::io_context& context, std::chrono::milliseconds grace)
    : context_{context},
      grace_{grace},
      mark_prefix_{random_hex(16) + '-'},
      child_ended_{context, SIGCHLD} {
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  std::signal(SIGPIPE, SIG_IGN); // a command may close its stdin while we write to it
  wait_for_children();
}

supervisor::~supervisor() {
  child_ended_.cancel();
  // Not waited for: one that hangs in the kernel would hold us up.
  for (auto& [pid, running] : running_) {
    running->handlers_ = {};
    signal_tree(*running, SIGKILL);
    running->finish({});
  }
  running_.clear();
  sweep();
}

std::variant<std::shared_ptr<process>, std::string> supervisor::start(command_line command,
                                                                      process_handlers handlers) {
  auto mark = mark_prefix_ + std::to_string(++started_);
  auto assignment = std::string{mark_variable} + '=';
  std::erase_if(command.environment,
                [&](const auto& entry) { return entry.starts_with(assignment); });
  command.environment.push_back(assignment + mark);
  auto result = spawn(command);
  if (auto* why = std::get_if<std::string>(&result))
    return std::move(*why);
  const auto& child = std::get<spawned>(result);
  auto started = std::make_shared<process>(context_, child, std::move(mark), std::move(handlers));
  running_.emplace(child.pid, started);
  started->start_reading();
  return started;
}

void supervisor::terminate(const std::shared_ptr<process>& target) {
  if (target->terminating_ || !running_.contains(target->pid()))
    return;
  target->abandon();
  signal_tree(*target, SIGTERM);
  signal_tree(*target, SIGCONT); // a stopped process would not get around to dying
  target->kill_timer_.expires_after(grace_);
  target->kill_timer_.async_wait([this, target](const boost::system::error_code& canceled) {
    if (!canceled && !target->ended_)
      signal_tree(*target, SIGKILL);
  });
}

void supervisor::terminate_all(std::function<void()> gone) {
  gone_ = std::move(gone);
  for (auto& [pid, running] : std::map{running_})
    terminate(running);
  report_if_gone();
}

void supervisor::report_if_gone() {
  if (running_.empty() && gone_)
    boost::asio::post(context_, std::exchange(gone_, {}));
}

void supervisor::wait_for_children() {
  child_ended_.async_wait([this](const boost::system::error_code& canceled, int) {
    if (canceled)
      return;
    wait_for_children();
    reap();
  });
}

void supervisor::reap() {
  std::vector<std::pair<std::shared_ptr<process>, exit_status>> ended;
  for (;;) {
    siginfo_t info{};
    // First a look that leaves the zombie where it is: as long as it is there, its id, and with it
    // the id of its group, is not given to anybody else.
    if (::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == 0)
      break;
    auto found = running_.find(info.si_pid);
    if (found != running_.end())
      ::kill(-info.si_pid, SIGKILL);
    int status = 0;
    ::waitpid(info.si_pid, &status, 0);
    if (found == running_.end())
      continue; // an orphan that was handed to us
    ended.emplace_back(found->second, decode(status));
    running_.erase(found);
  }
  sweep();
  for (auto& [process, status] : ended)
    process->finish(status);
  report_if_gone();
}

std::vector<pid_t> supervisor::orphans() const {
  auto result = children_of(::getpid());
  std::erase_if(result, [this](pid_t child) { return running_.contains(child); });
  return result;
}

/// Kills what ended processes have left behind. An orphan that forks while it is being killed is no
/// gap: its end is reported to us, and brings us here again, when its child is an orphan in turn.
void supervisor::sweep() {
  for (auto orphan : orphans()) {
    auto mark = environment_of(orphan, mark_variable);
    auto runs = std::any_of(running_.begin(), running_.end(),
                            [&](const auto& entry) { return entry.second->mark_ == mark; });
    if (mark.starts_with(mark_prefix_) && !runs)
      signal_with_descendants(orphan, SIGKILL);
  }
}

void supervisor::signal_tree(const process& target, int signal) {
  // The stragglers first: they are found through their parents, as long as those live.
  for (auto descendant : descendants_of(target.pid()))
    ::kill(descendant, signal);
  for (auto orphan : orphans())
    if (environment_of(orphan, mark_variable) == target.mark_)
      signal_with_descendants(orphan, signal);
  ::kill(-target.pid(), signal);
}

} // namespace rolecall::agents
