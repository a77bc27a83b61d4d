#pragma once

#include "messages/cluster.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace rolecall {

/// A message as a frame carries it: its position in `link_message`, then CAF's binary form.
std::string encode(const link_message& message);

/// None if the text is no message: an unknown tag, too short, too long, or with values that no
/// member can have. Allocates no more than a few times the size of the text.
std::optional<link_message> decode(std::string_view text);

} // namespace rolecall
