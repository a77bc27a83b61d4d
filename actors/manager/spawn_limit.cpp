#include "actors/manager/spawn_limit.hpp"

#include <algorithm>
#include <cmath>

namespace rolecall {

spawn_limit::spawn_limit(double per_second, double burst)
    : per_second_{per_second}, burst_{std::max(1.0, burst)}, balance_{burst_} {}

bool spawn_limit::take(time_point now) {
  refill(now);
  if (balance_ < 1)
    return false;
  --balance_;
  return true;
}

void spawn_limit::take_anyway(time_point now) {
  refill(now);
  --balance_;
}

millis spawn_limit::wait(time_point now) {
  refill(now);
  if (balance_ >= 1)
    return millis{0};
  return millis{static_cast<millis::rep>(std::ceil(1'000 * (1 - balance_) / per_second_))};
}

void spawn_limit::refill(time_point now) {
  if (filled_ && now > *filled_)
    balance_ = std::min(
        burst_, balance_ + per_second_ * std::chrono::duration<double>(now - *filled_).count());
  if (!filled_ || now > *filled_)
    filled_ = now;
}

} // namespace rolecall
