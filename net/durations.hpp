#pragma once

#include <algorithm>
#include <chrono>

namespace rolecall::net {

/// `duration` within what a clock can add to its time: not negative, and "for ever" is a year.
constexpr std::chrono::milliseconds bounded(std::chrono::milliseconds duration) {
  return std::clamp<std::chrono::milliseconds>(duration, std::chrono::milliseconds{0},
                                               std::chrono::hours{365 * 24});
}

} // namespace rolecall::net
