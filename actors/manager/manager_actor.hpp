#pragma once

#include "actors/lifecycle_actor.hpp"
#include "actors/manager/fleet.hpp"
#include "messages/interfaces.hpp"
#include "net/http_client.hpp"

#include <caf/stateful_actor.hpp>

#include <map>
#include <memory>

namespace rolecall {

struct manager_options {
  fleet_options fleet;
  question_options questions;
};

struct manager_state {
  static inline const char* name = "manager";

  ~manager_state();

  manager_options options;
  rolecall::fleet fleet;
  registry_actor registry;
  router_actor router;
  directory_listener_actor directory_listener; ///< beside the router; null if there is none
  std::shared_ptr<net::http_client> client;

  std::vector<caf::typed_response_promise<fleet_status>> checked_promises; // until all are
  std::map<std::uint64_t, caf::typed_response_promise<agent_record>> spawn_promises; // by order
  std::uint64_t next_order{1};
  caf::typed_response_promise<std::uint64_t> retire_promise;
  std::optional<time_point> retire_deadline; // of retire_promise
};

/// See `manager_actor` in messages/interfaces.hpp. Subscribes to the router's demand by itself.
/// `client` must outlive the actor's last message: it is shared.
manager_actor::behavior_type manager(manager_actor::stateful_pointer<manager_state> self,
                                     registry_actor registry, router_actor router,
                                     std::shared_ptr<net::http_client> client,
                                     manager_options options);

} // namespace rolecall
