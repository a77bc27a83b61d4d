#include "actors/coordinator/retry_rules.hpp"

#include <algorithm>

namespace rolecall {

double retry_budget::most() const {
  return std::max(10.0, 10 * options_.per_second);
}

void retry_budget::refill(time_point now) {
  if (!filled_)
    balance_ = most();
  else
    balance_ += std::chrono::duration<double>(now - *filled_).count() * options_.per_second;
  filled_ = now;
  balance_ = std::min(balance_, most());
}

void retry_budget::first_attempt(time_point now) {
  refill(now);
  balance_ = std::min(balance_ + options_.per_first_attempt, most());
}

retry_budget::time_point retry_budget::reserve(time_point now) {
  refill(now);
  balance_ -= 1;
  if (balance_ >= 0)
    return now;
  std::chrono::duration<double> wait{-balance_ / options_.per_second};
  return now + std::chrono::duration_cast<time_point::duration>(wait);
}

bool retry_budget::available(time_point now) {
  refill(now);
  return balance_ >= 1;
}

bool retry_rules::again(const attempt_outcome& outcome) const {
  if (outcome.error.kind == ec::node_stopped)
    return true; // what was accepted is kept, whatever codes are named
  if (!codes)
    return outcome.verdict == verdict::retryable;
  return std::find(codes->begin(), codes->end(), outcome.error.code) != codes->end();
}

millis retry_rules::backoff_bound(std::uint32_t attempts) const {
  auto bound = backoff;
  for (std::uint32_t i = 1; i < attempts && bound < max_backoff; ++i)
    bound *= 2;
  return std::min(bound, max_backoff);
}

retry_rules rules_for(const task_spec& task, const retry_options* role, const retry_options& all) {
  auto first_set = [](auto unset, auto own, auto roles, auto everybodys) {
    return own != unset ? own : roles != unset ? roles : everybodys;
  };
  static const retry_options none;
  const auto& r = role ? *role : none;
  retry_rules result;
  result.max_attempts = first_set(0u, task.max_attempts, r.max_attempts, all.max_attempts);
  result.backoff = first_set(millis{-1}, task.retry.backoff, r.policy.backoff, all.policy.backoff);
  result.max_backoff =
      first_set(millis{-1}, task.retry.max_backoff, r.policy.max_backoff, all.policy.max_backoff);
  // A first wait of its own brings its own bound, if that names none.
  auto unset = [](millis wait) { return wait == millis{-1}; };
  const auto& own = unset(task.retry.backoff) ? r.policy : task.retry;
  if (!unset(own.backoff) && unset(own.max_backoff) && unset(task.retry.max_backoff))
    result.max_backoff = std::max(result.max_backoff, result.backoff);
  for (const auto* codes : {&task.retry.codes, &r.policy.codes, &all.policy.codes})
    if (!result.codes && !codes->empty())
      result.codes = codes;
  return result;
}

} // namespace rolecall
