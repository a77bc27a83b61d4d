#pragma once

#include "actors/coordinator/task_book.hpp"
#include "actors/lifecycle_actor.hpp"
#include "messages/interfaces.hpp"

#include <caf/stateful_actor.hpp>

namespace rolecall {

struct coordinator_state {
  static inline const char* name = "coordinator";

  task_book book;
  wake_up timer;
  router_actor router;
  pool_actor pool;
  std::vector<task_listener_actor> listeners; // each until it ends
};

/// See `coordinator_actor` in messages/interfaces.hpp.
coordinator_actor::behavior_type
coordinator(coordinator_actor::stateful_pointer<coordinator_state> self, router_actor router,
            pool_actor pool, coordinator_options options);

} // namespace rolecall
