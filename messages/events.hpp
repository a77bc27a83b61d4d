#pragma once

#include "messages/values.hpp"

/// What the registry tells its subscribers. The sequence has no gaps: the event after a snapshot
/// with sequence n is n + 1. Whoever sees a gap subscribes again.
namespace rolecall {

enum class agent_change : std::uint8_t {
  up,      ///< a new agent
  changed, ///< another state, other skills
  down,    ///< the agent is gone; the record is its last
};
std::string to_string(agent_change change);

struct agent_event {
  std::uint64_t sequence{0};
  agent_change change{};
  agent_record agent;

  bool operator==(const agent_event&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, agent_event& x) {
  return f(x.sequence, x.change, x.agent);
}

/// All agents there are, in the order of their keys.
struct agent_snapshot {
  std::uint64_t sequence{0};
  std::vector<agent_record> agents;

  bool operator==(const agent_snapshot&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, agent_snapshot& x) {
  return f(x.sequence, x.agents);
}

} // namespace rolecall
