#pragma once

#include "messages/values.hpp"

#include <chrono>
#include <optional>
#include <set>
#include <unordered_map>
#include <vector>

namespace rolecall {

/// The tasks that no free agent was good enough for: until when each may wait for a better one, and
/// which of them were put aside for one certain agent. No more than `max_tasks`.
class held_tasks {
public:
  using time_point = std::chrono::steady_clock::time_point;
  using duration = time_point::duration;
  static constexpr std::size_t max_tasks = 16'384;

  /// Gives until when the task may wait: for so long after it was held for the first time. None if
  /// that is over, or too many wait so.
  std::optional<time_point> hold(const task_id& task, duration at_most, time_point now);
  /// The same for one that is put aside for this agent.
  std::optional<time_point> put_aside(const task_id& task, const agent_key& agent, duration at_most,
                                      time_point now);
  void forget(const task_id& task);
  void clear();

  /// None if it is not held.
  std::optional<time_point> until(const task_id& task) const;
  /// How many were put aside for the agent.
  std::size_t waiting_for(const agent_key& agent) const;
  /// Those, which are not put aside any more.
  std::vector<task_id> take_waiting_for(const agent_key& agent);
  /// The same for those whose time is over.
  std::vector<task_id> take_due(time_point now);
  /// When the time of the next one that was put aside is over.
  std::optional<time_point> next_due() const;

private:
  struct hold_state {
    time_point since;
    time_point until;
    std::optional<agent_key> agent{}; // for which it was put aside
  };

  void leave(const task_id& task, hold_state& held);

  std::unordered_map<task_id, hold_state> tasks_;
  std::unordered_map<agent_key, std::vector<task_id>> awaited_;
  std::set<std::pair<time_point, task_id>> aside_until_;
};

} // namespace rolecall
