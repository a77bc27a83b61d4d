#pragma once

#include "messages/tasks.hpp"

#include <chrono>
#include <optional>

namespace rolecall {

/// How many retries a role may have (the scheme of Finagle's RetryBudget, as a token bucket).
struct retry_budget_options {
  double per_first_attempt{0.2}; ///< what each first attempt adds
  double per_second{10};         ///< what is added all the time; more than 0
};

/// When attempts are made again. What a role leaves unset is as for all roles.
struct retry_options {
  std::uint32_t max_attempts{0}; ///< 0: unset
  retry_policy policy;
  std::optional<retry_budget_options> budget;
  std::optional<bool> hedge{}; ///< whether slow attempts of idempotent tasks get one beside them
};

/// What is left of a role's retries. A retry past the budget is not given up but put off: a broken
/// service is not hammered, and no task is lost for it. Pure.
class retry_budget {
public:
  using time_point = std::chrono::steady_clock::time_point;

  explicit retry_budget(retry_budget_options options) : options_{options} {}

  void first_attempt(time_point now);
  /// Takes one retry; gives when it may be made, `now` or later.
  time_point reserve(time_point now);
  /// Whether a retry could be made at once.
  bool available(time_point now);

private:
  void refill(time_point now);
  double most() const; // that can be saved up: what ten seconds bring

  retry_budget_options options_;
  std::optional<time_point> filled_;
  double balance_{0}; // below zero: reserved ahead of time
};

/// The rules for one task: its own, else its role's, else everybody's.
struct retry_rules {
  std::uint32_t max_attempts{1};
  millis backoff{0};
  millis max_backoff{0};
  const std::vector<std::string>* codes{nullptr}; ///< null: by the verdict of the attempt

  /// Whether an attempt that ended like this is made again, as far as attempts are left.
  bool again(const attempt_outcome& outcome) const;
  /// Bound of the wait after so many attempts.
  millis backoff_bound(std::uint32_t attempts) const;
};

retry_rules rules_for(const task_spec& task, const retry_options* role, const retry_options& all);

} // namespace rolecall
