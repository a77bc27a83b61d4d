#include "app/simulate/station.hpp"

#include <algorithm>
#include <cmath>

namespace rolecall::lab {

double station::rate() const {
  if (current_.how == condition::hangs || ends_.empty())
    return 0;
  auto share = model_.all_cores() / static_cast<double>(ends_.size());
  return model_.speed * current_.speed * std::min(1.0, share);
}

void station::advance(time_point now) {
  auto passed = std::chrono::duration<double>{now - at_}.count();
  served_ += rate() * passed;
  busy_s_ += ends_.empty() ? 0 : passed;
  at_ = now;
  if (ends_.empty())
    served_ = 0; // so that it stays exact
}

void station::begin(std::uint32_t task, double work_s, time_point now) {
  advance(now);
  ends_.emplace(served_ + work_s, task);
}

void station::stop(std::uint32_t task, time_point now) {
  advance(now);
  std::erase_if(ends_, [&](const auto& end) { return end.second == task; });
}

std::optional<std::uint32_t> station::take_done(time_point now) {
  auto next = next_done();
  if (!next || *next > now)
    return std::nullopt;
  advance(now);
  auto task = ends_.begin()->second;
  ends_.erase(ends_.begin());
  return task;
}

std::optional<time_point> station::next_done() const {
  auto speed = rate();
  if (speed <= 0)
    return std::nullopt;
  auto left = std::max(0.0, ends_.begin()->first - served_) / speed;
  return at_ + clock::duration{static_cast<clock::rep>(std::ceil(std::min(left, 1e8) * 1e9))};
}

void station::follow(time_point now) {
  advance(now);
  while (phase_ < model_.phases.size() && at_seconds(model_.phases[phase_].from_s) <= now)
    current_ = model_.phases[phase_++];
}

std::optional<time_point> station::next_phase() const {
  if (phase_ >= model_.phases.size())
    return std::nullopt;
  return at_seconds(model_.phases[phase_].from_s);
}

} // namespace rolecall::lab
