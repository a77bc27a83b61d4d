#include "actors/router/start_limits.hpp"

#include <algorithm>
#include <limits>

namespace rolecall {

double start_gate::tokens(time_point now) const {
  auto passed = std::max(0.0, std::chrono::duration<double>(now - at_).count());
  return limit_.burst - std::max(0.0, spent_ - passed * limit_.per_second);
}

std::optional<start_gate::time_point> start_gate::closed_until(time_point now) const {
  if (limit_.per_second <= 0)
    return std::nullopt;
  auto missing = 1 - tokens(now);
  if (missing <= 1e-9)
    return std::nullopt;
  auto wait = std::chrono::duration<double>(missing / limit_.per_second);
  return now + std::chrono::ceil<std::chrono::milliseconds>(wait);
}

std::size_t start_gate::may_start(time_point now) const {
  auto result = std::numeric_limits<std::size_t>::max();
  if (limit_.max_parallel != 0)
    result = at_cap() ? 0 : limit_.max_parallel - running_;
  if (limit_.per_second > 0)
    result = std::min(result, static_cast<std::size_t>(tokens(now) + 1e-9));
  return result;
}

void start_gate::started(time_point now) {
  ++running_;
  if (limit_.per_second <= 0)
    return;
  spent_ = limit_.burst - tokens(now) + 1;
  at_ = now;
}

} // namespace rolecall
