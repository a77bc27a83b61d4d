#include "actors/router/agent_health.hpp"

#include <algorithm>
#include <cmath>

namespace rolecall {

namespace {

constexpr double weight = 0.2;        // of one outcome
constexpr double forget_seconds = 30; // in which all but 1/e is forgotten
constexpr double negligible = 1e-6;

} // namespace

double agent_health::success(time_point now) const {
  if (failing_ == 0)
    return 1;
  auto passed = std::max(0.0, std::chrono::duration<double>(now - at_).count());
  return 1 - failing_ * std::exp(-passed / forget_seconds);
}

void agent_health::move_to(time_point now) {
  failing_ = 1 - success(now);
  at_ = now;
}

void agent_health::succeeded(time_point now) {
  move_to(now);
  failing_ -= weight * failing_;
  if (failing_ < negligible)
    failing_ = 0;
  in_a_row_ = 0;
  if (!ejected(now)) // else it was started before
    ejections_ = 0;
}

bool agent_health::failed(const ejection_options& options, bool may_eject, time_point now) {
  move_to(now);
  failing_ += weight * (1 - failing_);
  ++in_a_row_;
  auto enough = on_probation(now) || in_a_row_ >= options.failures;
  if (options.failures == 0 || ejected(now) || !may_eject || !enough)
    return false;
  ejections_ = std::min(ejections_ + 1, 1'000u);
  until_ = now + std::min(options.most, options.base * ejections_);
  in_a_row_ = 0;
  return true;
}

void agent_health::clock_went_back(time_point before, time_point now) {
  until_ = now + std::max(until_ - before, time_point::duration{0});
  at_ = std::min(at_, now);
}

} // namespace rolecall
