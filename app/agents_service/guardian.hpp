#pragma once

#include <functional>

namespace rolecall::agents {

/// Runs `work` in a child process and gives back its exit code, 1 if it was killed. This process
/// stays behind as its guardian: whatever the child leaves when it ends, even by SIGKILL, becomes
/// ours and is killed. SIGTERM, SIGINT and SIGHUP are passed on to the child. If the guardian
/// itself is killed, the child gets SIGTERM.
///
/// To be called while the process has one thread. `die_with_parent`: SIGTERM, too, when the thread
/// that started this process ends.
int run_guarded(const std::function<int()>& work, bool die_with_parent);

} // namespace rolecall::agents
