#pragma once

#include "messages/events.hpp"

#include <optional>
#include <set>

namespace rolecall {

/// Follows somebody's agents by a snapshot and gapless events: tells what to do so that one has the
/// same ones. Pure.
class agent_follower {
public:
  struct changes {
    std::vector<agent_record> put;
    std::vector<agent_key> remove;
    bool gap{false}; ///< an event is missing: a snapshot is wanted, and nothing is told until then
  };

  /// Of one who says nothing before its first snapshot.
  agent_follower() = default;
  /// Of one who began with no agents, and has told this many events.
  explicit agent_follower(std::uint64_t sequence) : sequence_{sequence} {}

  changes on_snapshot(const agent_snapshot& snapshot);
  /// `counts`: false if whoever tells it has no say in this agent.
  changes on_event(const agent_event& event, bool counts = true);
  /// There is nobody any more to follow.
  changes on_gone();

  std::size_t agents() const noexcept { return keys_.size(); }
  /// Of the latest event that came; none: a snapshot is due.
  std::optional<std::uint64_t> sequence() const noexcept { return sequence_; }

private:
  std::optional<std::uint64_t> sequence_;
  std::set<agent_key> keys_;
};

} // namespace rolecall
