#pragma once

#include "actors/journal/journal_store.hpp"
#include "actors/lifecycle_actor.hpp"
#include "messages/interfaces.hpp"

#include <caf/stateful_actor.hpp>

namespace rolecall {

struct journal_state {
  static inline const char* name = "journal";

  std::shared_ptr<journal_store> store;
  std::vector<journal_listener_actor> listeners; // they live as long as the node
  std::vector<journal_append> pending;           // in the order of their tickets
  std::size_t rows{0};                           // of those
  bool asked{false};                             // a wake-up is under way that writes them
  failure trouble;                               // of the latest transaction
};

/// See `journal_actor` in messages/interfaces.hpp. Its writing blocks: it is to be spawned
/// detached, with a thread of its own.
journal_actor::behavior_type journal(journal_actor::stateful_pointer<journal_state> self,
                                     std::shared_ptr<journal_store> store);

} // namespace rolecall
