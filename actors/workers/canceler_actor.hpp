#pragma once

#include "actors/lifecycle_actor.hpp"
#include "actors/workers/cancel_line.hpp"
#include "messages/interfaces.hpp"
#include "net/http_client.hpp"

#include <caf/stateful_actor.hpp>

#include <memory>

namespace rolecall {

/// A service has answered a request to cancel, or not.
struct cancel_ended {
  std::string service_url;
  unsigned status{0}; ///< 0: there was no answer
};

} // namespace rolecall

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(rolecall::cancel_notice)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(rolecall::cancel_ended)

namespace rolecall {

/// The CANCELER belongs to a pool: it tells services of attempts that were ended early. What they
/// answer changes nothing. After an exit message it stays for what is under way, for a while.
using canceler_actor = caf::typed_actor<
    // The connection of an attempt has been closed: its service is to be told.
    caf::reacts_to<cancel_notice>,
    // INTERNAL: a request has ended.
    caf::reacts_to<cancel_ended>,
    // INTERNAL: the time to stay is over.
    caf::reacts_to<atom::wake>>;

struct canceler_state {
  static inline const char* name = "canceler";

  cancel_line line;
  std::shared_ptr<net::http_client> client;
  bool closing{false};
};

canceler_actor::behavior_type canceler(canceler_actor::stateful_pointer<canceler_state> self,
                                       std::shared_ptr<net::http_client> client,
                                       cancel_options options);

} // namespace rolecall
