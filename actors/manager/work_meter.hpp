#pragma once

#include "messages/placements.hpp"

#include <array>
#include <chrono>
#include <optional>

namespace rolecall {

/// What is measured of a role's work, from what the router tells: how long a task takes, and how
/// fast tasks come. Pure; `now` does not go back.
class work_meter {
public:
  using time_point = std::chrono::steady_clock::time_point;

  /// The role's work from `now` on. Its counters are those since the last time; if they are less
  /// than before, the router has begun anew.
  void told(const role_demand& demand, time_point now);

  /// Seconds that an agent works on a task: the mean of the last ten or so. None until three have
  /// ended. If none ends for long, tasks have become longer than those that were measured.
  std::optional<double> task_s() const;
  /// Tasks that come in a second, as far as it lasts: the lower median of the last four quarters of
  /// a second, or of a task's time if that is longer. So a batch that comes at once is no rate, and
  /// neither is what chance makes of a few.
  double arrivals() const;

private:
  void count(std::uint64_t asked, time_point now);

  role_demand last_;
  std::optional<time_point> at_;
  double silent_s_{0}; // in which something ran, and nothing has ended
  double worked_s_{0}; // decaying sum of the time of tasks
  double ended_{0};    // decaying number of them

  static constexpr std::size_t quarters = 4;
  std::array<double, quarters> rates_{}; // of those that are over, the latest last
  std::uint64_t begun_{0};               // in the one that is not over
  time_point begin_{};                   // of that one
};

} // namespace rolecall
