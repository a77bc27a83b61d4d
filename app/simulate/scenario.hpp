#pragma once

#include "actors/coordinator/retry_rules.hpp"
#include "actors/manager/fleet.hpp"
#include "messages/values.hpp"

#include <optional>
#include <string>
#include <vector>

/// What is simulated. All times are in seconds of the virtual clock, from 0; work is in seconds on
/// an agent of speed 1.
namespace rolecall::lab {

enum class condition : std::uint8_t {
  healthy,
  fails, ///< what starts now ends with a 500 after `delay_s`
  busy,  ///< what starts now is answered with 429 at once, and Retry-After `delay_s`
  hangs, ///< everything on it stands still
};

/// How an agent is from some time on.
struct phase {
  double from_s{0};
  double speed{1}; ///< times the agent's own
  condition how{condition::healthy};
  double delay_s{0};
};

/// An agent. Up to `cores` attempts run at full speed at the same time; more share the cores evenly
/// (processor sharing), up to the limit, past which it is given none.
struct agent_model {
  role_name role{"worker"};
  skill_map skills;
  std::uint32_t limit{1};
  bool limit_declared{true}; ///< else the router has to find it out, up to `limit`
  double cores{0};           ///< 0: as many as its limit
  double speed{1};
  std::vector<phase> phases; ///< in the order of time

  double all_cores() const { return cores > 0 ? std::min<double>(cores, limit) : limit; }
  /// How much work an attempt for these skills is here, for a task of work 1: an agent that is half
  /// as proficient takes twice as long. None if it lacks one.
  std::optional<double> factor(const std::vector<std::string>& needed) const;
  /// The speed of one core at that time; 0 while nothing is done.
  double speed_at(double at_s) const;
};

/// What tasks have in common.
struct task_kind {
  role_name role{"worker"};
  std::vector<std::string> skills;
  std::string task_class;
  std::string tenant;
  std::uint8_t priority{0};
  double timeout_s{60}; ///< of an attempt
  double deadline_s{0}; ///< of the task as a whole, from its arrival; 0: none
  retry_rules retry{3, millis{200}, millis{10'000}, nullptr};
};

struct task_model {
  double arrival_s{0};
  double work_s{1};
  std::uint32_t kind{0};
  std::uint32_t context{0};         ///< tasks of one context share what an agent remembers; 0: none
  std::vector<std::uint32_t> needs; ///< places of tasks that must have completed before
  bool run_after_failure{false};    ///< of one of those; else it fails with it
};

/// The manager's core scales the agents, on a service that takes its time.
struct scaling_model {
  fleet_options fleet;
  double spawn_delay_s{1};
  double spawn_failures{0}; ///< the share of spawns that are answered with 503
  std::vector<std::pair<double, double>> outages; ///< from, to: no spawn succeeds
};

struct scenario {
  std::string name;
  /// Those that are there from the start. With scaling: one for each role, as which all are
  /// spawned.
  std::vector<agent_model> agents;
  std::vector<task_kind> kinds;
  std::vector<task_model> tasks; ///< in the order of arrival
  double context_gain{1}; ///< times the work, where the context's last task ran on this agent
  std::optional<scaling_model> scaling;
  double run_until_s{0}; ///< it does not end before
  retry_budget_options retry_budget{};
};

} // namespace rolecall::lab
