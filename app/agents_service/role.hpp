#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace rolecall::agents {

/// What an agent's process lives for.
enum class process_mode {
  per_task, ///< a process for each task: the task on stdin, the answer is its whole stdout
  per_agent ///< one process for the agent's whole life: a line for each task, a line for each
            ///< answer
};

/// A kind of agent that can be spawned: one entry of the roles file.
struct role {
  std::string name;
  std::filesystem::path program;    ///< absolute, found and executable when the file was read
  std::vector<std::string> command; ///< argv, as written in the file
  std::map<std::string, double> skills;
  std::size_t max_concurrency{1}; ///< tasks at a time, per agent
  process_mode mode{process_mode::per_task};
  std::filesystem::path directory; ///< absolute
  std::map<std::string, std::string> environment;
  std::chrono::milliseconds timeout{60'000}; ///< for one task
  std::size_t max_agents{64};
  std::size_t max_output_bytes{1 << 20}; ///< of one answer
};

} // namespace rolecall::agents
