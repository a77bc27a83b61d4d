#pragma once

#include "actors/health/health_checks.hpp"
#include "actors/lifecycle_actor.hpp"
#include "messages/interfaces.hpp"

#include <caf/stateful_actor.hpp>

namespace rolecall {

/// Whom a checker works with.
struct checker_peers {
  registry_actor registry;
  router_actor router;
  manager_actor manager;
  pool_actor pool;
};

struct checker_state {
  static inline const char* name = "checker";

  health_checks checks;
  checker_peers peers;
  wake_up timer;
};

/// See `checker_actor` in messages/interfaces.hpp. Subscribes to the registry by itself.
checker_actor::behavior_type checker(checker_actor::stateful_pointer<checker_state> self,
                                     checker_peers peers, health_options options);

} // namespace rolecall
