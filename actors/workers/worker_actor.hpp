#pragma once

#include "actors/lifecycle_actor.hpp"
#include "messages/interfaces.hpp"
#include "net/http_client.hpp"

#include <caf/stateful_actor.hpp>

#include <memory>
#include <unordered_map>

namespace rolecall {

struct worker_options {
  std::size_t max_answer_bytes{16u << 20};
  millis connect_timeout{5'000};
  std::string node; ///< whose worker it is, for the receipts
};

struct worker_state {
  static inline const char* name = "worker";

  struct call {
    net::http_client::call_id id;
    time_point started;
  };

  /// Closes the connections of what still runs: a worker that ends leaves nothing behind.
  ~worker_state();

  std::shared_ptr<net::http_client> client;
  outcome_listener_actor pool;
  std::unordered_map<attempt_key, call> calls;
};

/// See `worker_actor` in messages/interfaces.hpp.
worker_actor::behavior_type worker(worker_actor::stateful_pointer<worker_state> self,
                                   outcome_listener_actor pool,
                                   std::shared_ptr<net::http_client> client,
                                   worker_options options);

} // namespace rolecall
