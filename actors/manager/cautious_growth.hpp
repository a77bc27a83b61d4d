#pragma once

#include "messages/placements.hpp"

#include <chrono>
#include <optional>

namespace rolecall {

/// How many agents a role gets while nobody knows how many tasks one of them takes at a time. For
/// tasks that wait: a few, and twice as many every two seconds. If tasks are short, it is learnt
/// before there are too many agents; if they are long, there are enough of them soon. If none
/// waits: no more than can use what the router is ready to give them, so that they show what they
/// take.
class cautious_growth {
public:
  using time_point = std::chrono::steady_clock::time_point;

  /// How many attempts an agent is to be counted for, at least 1.
  double slots(const role_demand& demand, std::uint32_t ready, time_point now);

private:
  std::optional<time_point> since_; // tasks have been waiting
  double first_{0};                 // agents that they could get at once then
};

} // namespace rolecall
