#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace rolecall {

struct ejection_options {
  std::uint32_t failures{5};              ///< in a row, until an agent is ejected; 0: none ever is
  std::chrono::milliseconds base{30'000}; ///< times the number of ejections in a row
  std::chrono::milliseconds most{300'000};
  double max_share{0.5}; ///< of a role's agents, that may be ejected at the same time
};

/// How reliable an agent has been of late, and whether it is left alone for it (outlier ejection,
/// as Envoy's). After its time it gets one attempt at a time until one has succeeded (half open):
/// if that one fails it is ejected again, for longer.
class agent_health {
public:
  using time_point = std::chrono::steady_clock::time_point;

  void succeeded(time_point now);
  /// For a reason that is the agent's. `may_eject`: whether the share of those ejected allows it.
  /// Gives whether it was ejected now.
  bool failed(const ejection_options& options, bool may_eject, time_point now);

  /// A health check has passed: what is left of an ejection is let off, and the agent has to show
  /// with a task that it is well.
  void check_passed(time_point now) { until_ = std::min(until_, now); }

  bool ejected(time_point now) const noexcept { return until_ > now; }
  time_point ejected_until() const noexcept { return until_; }
  /// It was ejected, and has not shown yet that it is well again.
  bool on_probation(time_point now) const noexcept { return ejections_ > 0 && until_ <= now; }
  std::uint32_t ejections() const noexcept { return ejections_; }
  /// The share of its attempts that succeeded, the recent ones counting more; what is long ago is
  /// forgotten, so that an agent that failed is tried again some time.
  double success(time_point now) const;
  /// An ejection lasts as long as was left of it.
  void clock_went_back(time_point before, time_point now);

private:
  void move_to(time_point now);

  double failing_{0}; // share, at `at_`
  time_point at_{};
  time_point until_{};
  std::uint32_t in_a_row_{0};
  std::uint32_t ejections_{0}; // in a row
};

} // namespace rolecall
