#include "actors/router/adaptive_limit.hpp"

#include <algorithm>

namespace rolecall {

namespace {

constexpr double start = 4;
constexpr double headroom = 4;
constexpr double tolerance = 1.5; // a rise by less than this is the spread of the tasks

} // namespace

adaptive_limit::adaptive_limit(std::uint32_t most)
    : most_{static_cast<double>(std::max(1u, most))}, limit_{std::min(start, most_)} {}

void adaptive_limit::completed(double micros, std::uint32_t in_flight) {
  micros = std::max(1.0, micros);
  long_ = long_ == 0 ? micros : long_ + (micros - long_) / 100;
  short_ = short_ == 0 ? micros : short_ + (micros - short_) / 5;
  if (long_ > 2 * short_) // it has become fast again: what was learnt of the slow time goes
    long_ *= 0.95;
  if (in_flight < limit_ / 2)
    return; // it is not the limit that holds it back
  auto gradient = std::clamp(tolerance * long_ / short_, 0.5, 1.0);
  limit_ = std::clamp(0.8 * limit_ + 0.2 * (limit_ * gradient + headroom), 1.0, most_);
}

void adaptive_limit::refused() {
  limit_ = std::max(1.0, limit_ * 0.8);
}

void adaptive_limit::set_most(std::uint32_t most) {
  most_ = static_cast<double>(std::max(1u, most));
  limit_ = std::min(limit_, most_);
}

} // namespace rolecall
