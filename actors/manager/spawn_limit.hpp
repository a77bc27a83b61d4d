#pragma once

#include "messages/basics.hpp"

#include <chrono>
#include <optional>

namespace rolecall {

/// How fast an agents service is asked to spawn: a token bucket.
class spawn_limit {
public:
  using time_point = std::chrono::steady_clock::time_point;

  /// So many per second, and so many at once after a time without any; both more than 0.
  spawn_limit(double per_second, double burst);

  /// Whether one may be asked for now; if so, it is counted.
  bool take(time_point now);
  /// Counts one that is asked for in any case.
  void take_anyway(time_point now);
  /// Until one may be asked for again; zero if it may be now.
  millis wait(time_point now);

private:
  void refill(time_point now);

  double per_second_;
  double burst_;
  double balance_;
  std::optional<time_point> filled_;
};

} // namespace rolecall
