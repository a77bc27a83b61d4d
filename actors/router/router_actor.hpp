#pragma once

#include "actors/lifecycle_actor.hpp"
#include "actors/router/routing_table.hpp"
#include "messages/interfaces.hpp"

#include <caf/stateful_actor.hpp>

namespace rolecall {

struct router_state {
  static inline const char* name = "router";

  routing_table table;
  wake_up timer;
  registry_actor registry;
  routing_listener_actor cluster;                                  // null if there is none
  demand_listener_actor demand_listener;                           // null until somebody subscribes
  std::unordered_map<task_id, placement_listener_actor> listeners; // of the requests that wait
};

/// See `router_actor` in messages/interfaces.hpp. Subscribes to the registry by itself.
router_actor::behavior_type router(router_actor::stateful_pointer<router_state> self,
                                   registry_actor registry, router_options options);

} // namespace rolecall
