#pragma once

#include "actors/registry/agent_table.hpp"
#include "messages/interfaces.hpp"

#include <caf/stateful_actor.hpp>

#include <vector>

namespace rolecall {

struct registry_state {
  static inline const char* name = "registry";

  agent_table agents;
  std::vector<agent_listener_actor> subscribers; // each until it ends
};

/// See `registry_actor` in messages/interfaces.hpp.
registry_actor::behavior_type registry(registry_actor::stateful_pointer<registry_state> self);

} // namespace rolecall
