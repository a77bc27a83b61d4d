#pragma once

#include "actors/registry/agent_table.hpp"
#include "messages/interfaces.hpp"

#include <caf/stateful_actor.hpp>

#include <vector>

namespace rolecall {

struct registry_options {
  std::size_t max_agents{100'000}; ///< past it, new ones are refused: ec::queue_full
};

struct registry_state {
  static inline const char* name = "registry";

  agent_table agents;
  std::vector<agent_listener_actor> subscribers; // each until it ends
};

/// See `registry_actor` in messages/interfaces.hpp.
registry_actor::behavior_type registry(registry_actor::stateful_pointer<registry_state> self,
                                       registry_options options);

} // namespace rolecall
