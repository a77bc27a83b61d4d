#pragma once

#include <filesystem>
#include <string>
#include <variant>
#include <vector>

#include <sys/types.h>

namespace rolecall::agents {

/// What is executed. Nothing here is looked up or expanded: no shell, no PATH.
struct command_line {
  std::filesystem::path program;
  std::vector<std::string> arguments;   ///< argv, the name of the program first
  std::filesystem::path directory;      ///< the working directory
  std::vector<std::string> environment; ///< complete, "NAME=value" each
};

/// A process that has been started, and our ends of its pipes (non-blocking, close-on-exec). The
/// caller owns the descriptors and reaps the process.
struct spawned {
  pid_t pid;
  int input;  ///< its stdin, to be written
  int output; ///< its stdout, to be read
  int error;  ///< its stderr, to be read
};

/// Starts a process that leads a process group of its own, and that the kernel kills when the
/// calling thread ends. Returns once the program runs, or a text that says why it does not. Blocks
/// for as long as fork and exec take.
///
/// Plain fork and exec rather than Boost.Process: its v2 in Boost 1.81 has no way to close
/// descriptors that others have opened without close-on-exec (Asio's accepted sockets are), and it
/// reaps by itself, where a group has to be killed while its dead leader still holds the group's
/// id.
std::variant<spawned, std::string> spawn(const command_line& command);

} // namespace rolecall::agents
