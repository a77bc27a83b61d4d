#pragma once

#include "messages/tasks.hpp"

#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>
#include <vector>

namespace rolecall::api {

/// Requests that are answered once their tasks have ended, or their time is over. Pure.
class task_waits {
public:
  using time_point = std::chrono::steady_clock::time_point;

  /// `id` is the caller's; `tasks` are those that have not ended. One without tasks is over at
  /// once.
  void add(std::uint64_t id, const std::vector<task_id>& tasks, time_point until);
  void remove(std::uint64_t id);
  /// A task has ended.
  void ended(const task_id& task);

  /// Those that are over, each told once.
  std::vector<std::uint64_t> take_over(time_point now);
  std::optional<time_point> next_due() const;

private:
  struct wait {
    std::set<task_id> open;
    time_point until;
  };

  std::map<std::uint64_t, wait> waits_;
  std::unordered_multimap<task_id, std::uint64_t> by_task_;
  std::set<std::pair<time_point, std::uint64_t>> dues_;
  std::vector<std::uint64_t> over_;
};

} // namespace rolecall::api
