#include "actors/coordinator/hedging.hpp"

#include <algorithm>

namespace rolecall {

namespace {

constexpr std::size_t window = 256;
constexpr std::size_t enough = 20; // attempts, to tell a twentieth
constexpr std::size_t often = 16;  // attempts, between two looks at all of them
constexpr std::size_t max_classes = 1'000;
constexpr double most_saved = 10; // hedges

} // namespace

void run_times::add(micros run) {
  if (latest_.size() < window)
    latest_.push_back(run);
  else
    latest_[seen_ % window] = run;
  ++seen_;
  if (seen_ < enough || (p95_ && seen_ % often != 0))
    return;
  auto sorted = latest_;
  auto place = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() * 95 / 100);
  std::nth_element(sorted.begin(), place, sorted.end());
  p95_ = *place;
}

void hedge_rules::first_attempt() {
  balance_ = std::min(balance_ + share_, most_saved);
}

void hedge_rules::ran(const std::string& task_class, micros run) {
  auto known = classes_.contains(task_class) || classes_.size() < max_classes;
  classes_[known ? task_class : std::string{}].add(run);
}

std::optional<micros> hedge_rules::delay(const std::string& task_class) const {
  auto found = classes_.find(task_class);
  if (found == classes_.end())
    found = classes_.find(std::string{});
  return found == classes_.end() ? std::nullopt : found->second.p95();
}

} // namespace rolecall
