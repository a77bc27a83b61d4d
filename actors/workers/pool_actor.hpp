#pragma once

#include "actors/workers/attempt_slots.hpp"
#include "actors/workers/worker_actor.hpp"

namespace rolecall {

struct pool_options {
  std::size_t workers{2};
  worker_options worker;
};

struct pool_state {
  static inline const char* name = "pool";

  attempt_slots slots;
  std::vector<worker_actor> workers;
  std::map<attempt_slots::attempt_key, outcome_listener_actor> listeners;
};

/// See `pool_actor` in messages/interfaces.hpp.
pool_actor::behavior_type pool(pool_actor::stateful_pointer<pool_state> self,
                               const std::shared_ptr<net::http_client>& client,
                               pool_options options);

} // namespace rolecall
