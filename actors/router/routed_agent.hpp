#pragma once

#include "actors/router/adaptive_limit.hpp"
#include "actors/router/agent_health.hpp"
#include "actors/router/latency_model.hpp"
#include "actors/router/start_limits.hpp"
#include "messages/values.hpp"

#include <algorithm>

namespace rolecall {

struct agent_group;

/// How much a proficiency lacks, as it is in a score: minus its logarithm. 0: nothing.
double lack_of(double proficiency);

/// An agent with all that the router knows of it.
struct routed_agent {
  using time_point = std::chrono::steady_clock::time_point;

  agent_record record;
  std::uint32_t in_flight{0}; ///< of all nodes
  std::uint32_t others{0};    ///< of these: of other nodes, as the agent's own node says
  time_point idle_since{};
  time_point progress_at{}; ///< when it last ended an attempt, or got its first
  time_point parked_until{};
  bool suspect{false}; ///< behaves as if it were gone
  bool drain_told{false};
  std::uint64_t succeeded{0};
  std::uint64_t ended{0}; ///< succeeded or failed for a reason that is the agent's
  double latency_us{0};   ///< moving average of completed attempts
  double expected_us{0};  ///< of the attempt that it got last; 0 if nothing was known
  failure last_error;     ///< of its attempts
  time_point last_error_at{};
  agent_speed speed;
  agent_health health;
  bool checking{false}; ///< a slot is held for a health check, beside those in flight
  std::uint64_t checks_passed{0};
  std::uint64_t checks_failed{0};
  failure check_error; ///< of its latest health check; no code if it passed
  time_point next_check{};
  adaptive_limit adaptive; ///< used if its service declares no limit
  start_gate gate;         ///< what the configuration allows it

  // -- of its place in the agent_pool, which alone changes it
  agent_group* group{nullptr};
  double rank{0};            ///< among those with a free slot: the lowest is the best
  std::uint64_t taken_at{0}; ///< number of the placement that was its latest
  std::size_t free_at{none}; ///< place among those with a free slot, or none
  int busy_bucket{-1};       ///< of its cost, if it has no free slot
  std::uint32_t busy_slots{0};
  std::uint32_t counted_limit{0}; ///< as the pool's mean has it
  double counted_slots{0};
  bool counted_usable{false};     ///< and so are the next two
  bool counted_undeclared{false}; ///< its limit is one that the router has found
  std::uint32_t counted_own{0};   ///< its slots that other nodes do not hold
  std::optional<time_point> due;  ///< when time alone will change what it may be given
  static constexpr std::size_t none = ~std::size_t{0};

  bool has(const std::vector<std::string>& skills) const {
    return std::all_of(skills.begin(), skills.end(),
                       [&](const auto& skill) { return record.skills.contains(skill); });
  }
  /// What it lacks in these skills, all of which it has: minus the logarithm of its mean
  /// proficiency.
  double lack(const std::vector<std::string>& skills) const;
  /// May be given tasks, once it has a free slot.
  bool usable(time_point now) const {
    return record.state == agent_state::ready && !suspect && parked_until <= now &&
           !health.ejected(now);
  }
  /// The most that its service and the configuration allow.
  std::uint32_t allowed() const {
    auto cap = gate.limit().max_parallel;
    return cap == 0 ? record.max_concurrency : std::min(record.max_concurrency, cap);
  }
  /// Attempts that it gets at the same time when it is well.
  std::uint32_t usual_limit() const {
    return record.limit_declared ? allowed() : std::min(allowed(), adaptive.limit());
  }
  /// Attempts that it gets at the same time.
  std::uint32_t limit(time_point now) const {
    return health.on_probation(now) ? std::min(usual_limit(), 1u) : usual_limit();
  }
  /// How many attempts it takes at the same time in the long run; 0 if that has yet to be learnt.
  double slots() const {
    if (record.limit_declared || adaptive.limit() >= allowed())
      return allowed();
    return adaptive.learnt() ? std::min<double>(allowed(), adaptive.settled()) : 0;
  }
  bool free_slot(time_point now) const { return in_flight + (checking ? 1 : 0) < limit(now); }
  double success_rate() const {
    return ended == 0 ? 1.0 : static_cast<double>(succeeded) / static_cast<double>(ended);
  }
};

} // namespace rolecall
