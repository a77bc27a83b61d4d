#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

/// What /proc knows of the processes under one process. Linux only. A process that ends while it is
/// looked at is simply not found.
namespace rolecall::agents {

/// The children of a process, zombies included. Empty if there is no such process.
std::vector<pid_t> children_of(pid_t parent);

/// Everything below a process: children, their children and so on, without the process itself.
std::vector<pid_t> descendants_of(pid_t root);

/// The value that an environment variable had when the process was started. Empty if it is not set,
/// or if the environment cannot be read (a zombie, somebody else's process).
std::string environment_of(pid_t pid, std::string_view variable);

} // namespace rolecall::agents
