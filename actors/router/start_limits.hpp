#pragma once

#include "messages/basics.hpp"

#include <algorithm>
#include <optional>

namespace rolecall {

/// What may be started of something.
struct start_limit {
  std::uint32_t max_parallel{0}; ///< attempts at the same time; 0: no such limit
  double per_second{0};          ///< attempts started, in the mean; 0: no such limit
  std::uint32_t burst{1};        ///< of those at once, at least 1

  bool any() const noexcept { return max_parallel != 0 || per_second > 0; }
};

/// What runs and what has been started of one thing, against its limit. The rate is that of a token
/// bucket.
class start_gate {
public:
  using time_point = std::chrono::steady_clock::time_point;

  explicit start_gate(start_limit limit = {}) : limit_{limit} {}

  bool at_cap() const noexcept {
    return limit_.max_parallel != 0 && running_ >= limit_.max_parallel;
  }
  /// When the next may start as far as the rate goes; none if one may now.
  std::optional<time_point> closed_until(time_point now) const;
  /// How many may start now.
  std::size_t may_start(time_point now) const;
  void started(time_point now);
  void ended() noexcept { running_ -= running_ > 0 ? 1 : 0; }

  /// The clock has gone back.
  void no_later_than(time_point now) { at_ = std::min(at_, now); }

  const start_limit& limit() const noexcept { return limit_; }
  /// It is as if nothing had ever been started.
  bool is_fresh(time_point now) const { return running_ == 0 && tokens(now) >= limit_.burst; }

private:
  double tokens(time_point now) const;

  start_limit limit_;
  std::uint32_t running_{0};
  double spent_{0}; // of the burst, at `at_`
  time_point at_{};
};

} // namespace rolecall
