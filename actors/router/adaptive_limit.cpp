#include "actors/router/adaptive_limit.hpp"

#include <algorithm>
#include <cmath>

namespace rolecall {

namespace {

constexpr std::uint32_t memory = 32;      // attempts over which a step is averaged
constexpr std::uint32_t remembered = 8;   // of them, once it was left
constexpr double samples_per_spread = 32; // tells a step from the next, times the variance
constexpr std::uint32_t most_samples = 64;
constexpr std::uint32_t least_samples = 8;
constexpr std::uint32_t least_while_climbing = 4;
constexpr std::uint32_t least_patience = 2;
constexpr std::uint32_t most_patience = 16;
constexpr double settling = 0.25; // weight of one decision

} // namespace

/// 1, 2, 3, 4, 6, 8, 11, 16, 23, …
std::uint32_t adaptive_limit::limit_of(std::size_t step) const {
  auto limit = step == 0 ? 1.0 : std::round(std::exp2(static_cast<double>(step + 1) / 2));
  return static_cast<std::uint32_t>(std::min<double>(limit, most_));
}

/// In the logarithm: throughput is the limit over the time that an attempt takes.
double adaptive_limit::power(std::size_t step) const {
  return std::log(limit_of(step)) - 2 * steps_[step].log_mean;
}

bool adaptive_limit::measured(std::size_t step) const {
  return step < steps_.size() && steps_[step].samples > 0;
}

void adaptive_limit::begin_at(double limit) {
  std::size_t step = 0;
  while (limit_of(step) < most_ && limit_of(step + 1) <= limit + 0.5)
    ++step;
  climbing_ = false;
  go(step);
  skip_ = 0;
  settled_ = limit_;
}

void adaptive_limit::set_most(std::uint32_t most) {
  most_ = std::max(1u, most);
  while (at_ > 0 && limit_of(at_ - 1) >= most_)
    --at_;
  limit_ = limit_of(at_);
  settled_ = std::min<double>(settled_, most_);
}

/// Whether an attempt was begun under another limit, and tells nothing of this one.
bool adaptive_limit::is_late() {
  if (skip_ == 0)
    return false;
  --skip_;
  return true;
}

void adaptive_limit::completed(double micros, std::uint32_t in_flight) {
  if (is_late() || in_flight < limit_)
    return;
  auto& here = steps_[at_];
  auto off = std::log(std::max(1.0, micros)) - here.log_mean;
  if (here.samples > 0)
    variance_ += (off * off - variance_) / memory;
  here.samples = std::min(here.samples + 1, memory);
  here.log_mean += off / here.samples;
  ++seen_;
  if (climbing_) {
    if (seen_ >= std::max(limit_, least_while_climbing))
      climb();
    return;
  }
  auto wanted = std::min<double>(most_samples, samples_per_spread * variance_);
  if (seen_ >= std::max({limit_, least_samples, static_cast<std::uint32_t>(wanted)}))
    decide();
}

void adaptive_limit::refused(std::uint32_t in_flight) {
  if (from_ > at_ && is_late()) // it is the step that has been taken back already
    return;
  // Who refuses though he has little to do has another reason.
  if (at_ == 0 || 2 * in_flight <= limit_)
    return;
  climbing_ = false;
  steps_[at_].refused = true;
  go_back();
}

/// Whether the next step is to be tried without waiting for its turn.
bool adaptive_limit::promises_more() const {
  if (limit_ == most_)
    return false;
  if (at_ + 1 < steps_.size() && steps_[at_ + 1].refused)
    return false;
  return !measured(at_ + 1) || power(at_ + 1) > power(at_);
}

void adaptive_limit::decide() {
  seen_ = 0;
  settled_ += settling * (limit_ - settled_);
  if (at_ > 0 && measured(at_ - 1) && power(at_) < power(at_ - 1))
    return go_back();
  if (trying_)
    patience_ = least_patience;
  trying_ = false;
  auto up = promises_more();
  if (!up) {
    if (++calm_ < patience_)
      return;
    down_next_ = !down_next_;
    up = limit_ < most_ && (!down_next_ || at_ == 0);
    if (!up && at_ == 0)
      return;
  }
  trying_ = up;
  go(up ? at_ + 1 : at_ - 1);
}

/// A step too many is soon taken back; to stop too early is not noticed for long. So it stops only
/// if what it has seen is more than chance explains.
void adaptive_limit::climb() {
  if (auto lost = power(from_) - power(at_); lost > 0) {
    auto rest = 1.0 / steps_[from_].samples + 1.0 / seen_;
    if (lost < 2 * std::sqrt(variance_ * rest) && seen_ < most_samples)
      return;
    climbing_ = false;
    settled_ = limit_of(from_);
    go(at_ - 1);
  } else if (limit_ == most_) {
    climbing_ = false;
    settled_ = limit_;
  } else {
    go(at_ == 0 || limit_of(at_ + 1) == most_ ? at_ + 1 : at_ + 2);
  }
}

/// What was tried was no good: it is tried again later than the last time.
void adaptive_limit::go_back() {
  if (trying_)
    patience_ = std::min(2 * patience_, most_patience);
  trying_ = false;
  go(at_ - 1);
}

void adaptive_limit::go(std::size_t step) {
  skip_ = limit_;
  seen_ = 0;
  calm_ = 0;
  from_ = at_;
  at_ = step;
  limit_ = limit_of(step);
  if (steps_.size() <= step)
    steps_.resize(step + 1);
  steps_[step].samples = std::min(steps_[step].samples, remembered);
  steps_[step].refused = false;
}

} // namespace rolecall
