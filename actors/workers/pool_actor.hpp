#pragma once

#include "actors/workers/attempt_slots.hpp"
#include "actors/workers/canceler_actor.hpp"
#include "actors/workers/worker_actor.hpp"

namespace rolecall {

struct pool_options {
  std::size_t workers{2};
  worker_options worker;
  cancel_options cancel;
};

struct pool_state {
  static inline const char* name = "pool";

  /// Who hears of an attempt's outcome, and who has to be told if nobody waits for it any more.
  struct attempt {
    outcome_listener_actor listener;
    std::string service_url;
  };

  attempt_slots slots;
  std::vector<worker_actor> workers; ///< each replaced when it ends; while closing: null instead
  std::unordered_map<attempt_key, attempt> attempts;
  canceler_actor canceler;
  bool closing{false}; ///< the pool ends when its workers have
};

/// See `pool_actor` in messages/interfaces.hpp.
pool_actor::behavior_type pool(pool_actor::stateful_pointer<pool_state> self,
                               const std::shared_ptr<net::http_client>& client,
                               pool_options options);

} // namespace rolecall
