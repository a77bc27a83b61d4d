#pragma once

#include "actors/coordinator/task_book.hpp"
#include "actors/lifecycle_actor.hpp"
#include "messages/interfaces.hpp"

#include <caf/stateful_actor.hpp>

namespace rolecall {

/// Whom the coordinator works with.
struct coordinator_peers {
  router_actor router;
  pool_actor pool;
  journal_actor journal; ///< null: nothing is kept; `coordinator_options::durable` says so too
};

struct coordinator_state {
  static inline const char* name = "coordinator";

  /// Told once something is on disk, or with why it is not.
  using answer = std::function<void(const failure* refused)>;

  ~coordinator_state();

  task_book book;
  wake_up timer;
  coordinator_peers peers;
  std::vector<task_listener_actor> listeners;       // each until it ends
  std::multimap<std::uint64_t, answer> answers;     // by the ticket that they wait for
  caf::typed_response_promise<std::uint64_t> drain; // pending until nothing runs
};

/// See `coordinator_actor` in messages/interfaces.hpp. Goes on with `kept`, what the journal had of
/// earlier times; may be null.
coordinator_actor::behavior_type
coordinator(coordinator_actor::stateful_pointer<coordinator_state> self, coordinator_peers peers,
            coordinator_options options, const std::shared_ptr<journal_content>& kept);

} // namespace rolecall
