#pragma once

#include "actors/manager/load_window.hpp"
#include "actors/manager/work_meter.hpp"

#include <deque>

namespace rolecall {

/// The wish for a role.
struct role_policy {
  service_name service; ///< that hosts it; empty: the first one that offers it
  std::uint32_t min_agents{0};
  std::uint32_t max_agents{8};
  std::uint32_t warm_spares{0};          ///< agents beside those that are needed
  double target_utilization{1};          ///< share of its slots that an agent is to use; 0 to 1
  millis idle_timeout{60'000};           ///< how long agents above the minimum outlast their use
  millis retire_unhealthy_after{60'000}; ///< how long an unhealthy agent may take to get well
};

/// Over how long the load is averaged, for all roles.
struct scaling_windows {
  millis stable{60'000};
  millis panic{6'000}; ///< at most `stable`
  double panic_threshold{2};
};

/// How many agents one role should have. Pure: it is told what happens, and when.
///
/// Needed now is what the work that waits and runs takes, if it takes more than the means over the
/// stable window and, in a panic, over the panic window (Knative's autoscaler, KPA). What was
/// needed is kept for the role's idle timeout: it grows at once and shrinks late.
///
/// A task that waits is not work for another agent if the line will be gone sooner than an agent
/// could be there; what comes all the time is, whatever the line. That is known only once both
/// times, of a task and of a spawn, have been measured, and as long as the agents that are there
/// work. Until then each task that waits wants an agent; those that have not come by the time when
/// it is known are not kept for it.
class autoscaler {
public:
  using time_point = std::chrono::steady_clock::time_point;

  autoscaler(const role_policy& policy, const scaling_windows& windows);

  // -- what happens
  // ----------------------------------------------------------------------------------

  /// `slots` is how many attempts an agent takes, `ready` how many agents there are.
  void on_demand(const role_demand& demand, double slots, std::uint32_t ready, time_point now);
  /// Time has passed: averages move.
  void on_tick(double slots, std::uint32_t ready, time_point now);
  /// So many agents are there for another reason than the load: they stay for the idle timeout.
  void keep(std::uint32_t agents, time_point now);
  void on_spawn_sent(time_point now);
  void on_spawn_ended(bool ok, time_point now);

  // -- what comes of it
  // ------------------------------------------------------------------------------

  /// Agents that are needed now: fewer than these, and more are spawned.
  std::uint32_t needed() const;
  /// Agents that are kept, at least as many as are needed: more than these, and some are drained.
  std::uint32_t kept() const;
  /// A burst: it does not shrink.
  bool panic() const noexcept { return panic_until_.has_value(); }
  /// How long the oldest spawn has been under way; none if none is.
  std::optional<millis> oldest_spawn(time_point now) const;
  /// Spawns that have been under way for so much longer than others took that they are not to be
  /// counted on.
  std::uint32_t late_spawns(time_point now) const;

private:
  double work(double slots, std::uint32_t ready, time_point now);
  double kept_of(double agents, std::uint32_t ready) const;
  std::uint32_t bounded(double agents) const;

  role_policy policy_;
  double panic_threshold_;
  millis stable_span_;
  load_window stable_;
  load_window burst_;
  load_window held_;
  role_demand demand_;
  double now_{0};     // agents for the work of this moment
  double average_{0}; // agents for the means
  double peak_{0};    // most agents needed within the idle timeout
  double floor_{0};   // of a panic
  std::optional<time_point> panic_until_;

  work_meter meter_;
  std::optional<time_point> slack_since_; // tasks wait, and yet slots are free

  // How long a spawn takes. Which answer belongs to which question does not matter for a mean.
  std::deque<time_point> sent_;
  std::optional<double> spawn_s_;
};

} // namespace rolecall
