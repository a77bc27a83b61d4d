#pragma once

#include "app/api/api_actor.hpp"
#include "messages/interfaces.hpp"

#include <caf/scoped_actor.hpp>

#include <optional>
#include <string>

namespace rolecall {

/// Asks the actors that every task goes through a question that costs them nothing, all at the same
/// time. Gives the name of one that has not answered within `patience`, or of one that has ended;
/// none if all have answered.
std::optional<std::string> who_is_silent(caf::scoped_actor& self, const router_actor& router,
                                         const coordinator_actor& coordinator,
                                         const api::api_actor& api, millis patience);

} // namespace rolecall
