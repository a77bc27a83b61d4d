#pragma once

#include "app/simulate/scenario.hpp"

#include <chrono>
#include <set>

namespace rolecall::lab {

using clock = std::chrono::steady_clock;
using time_point = clock::time_point;

/// Where the virtual clock starts.
inline constexpr time_point start_of_time{};

inline time_point at_seconds(double seconds) {
  return start_of_time +
         std::chrono::duration_cast<clock::duration>(std::chrono::duration<double>{seconds});
}
inline double seconds_of(time_point at) {
  return std::chrono::duration<double>{at - start_of_time}.count();
}

/// An agent at work: processor sharing over its cores, at a speed that changes. Each attempt under
/// way gets the same rate, so that one figure tells how much work each has been given since it
/// began; the attempt that ends first is the one whose end is the lowest on that scale.
class station {
public:
  station(agent_model model, time_point now) : model_{std::move(model)}, at_{now} { follow(now); }

  const agent_model& model() const noexcept { return model_; }
  /// What is so now; its speed counts as told by `follow`.
  const phase& current() const noexcept { return current_; }

  /// Begins the work of a task, in seconds at speed 1.
  void begin(std::uint32_t task, double work_s, time_point now);
  /// Ends it before its end.
  void stop(std::uint32_t task, time_point now);
  /// Takes out one whose work is done by now, if there is one.
  std::optional<std::uint32_t> take_done(time_point now);
  /// When the next of them is done, as things stand.
  std::optional<time_point> next_done() const;
  /// Goes over to the phase of that time.
  void follow(time_point now);
  /// When the next phase begins.
  std::optional<time_point> next_phase() const;
  /// Seconds in which at least one attempt was under way.
  double busy_s() const noexcept { return busy_s_; }
  bool idle() const noexcept { return ends_.empty(); }

private:
  void advance(time_point now);
  double rate() const; // of each attempt

  agent_model model_;
  std::size_t phase_{0}; // those that have begun
  phase current_;
  time_point at_;
  double served_{0}; // to each attempt that has been here all the time
  double busy_s_{0};
  std::set<std::pair<double, std::uint32_t>> ends_; // on the scale of `served_`
};

} // namespace rolecall::lab
