#pragma once

#include "messages/agents.hpp"
#include "messages/shared.hpp"

/// What is said between those who need an agent and the router that picks one.
namespace rolecall {

/// Asks the router for an agent.
struct placement_request {
  task_id task;
  std::uint32_t attempt{0};
  role_name role;
  std::vector<std::string> skills;
  std::uint8_t priority{0};
  std::uint64_t age{0};         ///< number of the submit; the lower is the older
  std::vector<agent_key> avoid; ///< tried before: used only if there is no other
  std::string task_class{};     ///< tasks of one class take comparable times
  std::string fairness_key{};   ///< whose share of the agents it uses; may be empty
  std::string context_id{}; ///< agents that have worked on it before are preferred; may be empty
  /// A second attempt beside one that runs: never on one to avoid, and refused with ec::agent_busy
  /// instead of waiting.
  bool hedge{false};

  bool operator==(const placement_request&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, placement_request& x) {
  return f(x.task, x.attempt, x.role, x.skills, x.priority, x.age, x.avoid, x.task_class,
           x.fairness_key, x.context_id, x.hedge);
}

/// How the router chooses among the agents that could take a task.
enum class routing_policy : std::uint8_t { adaptive, least_requests, p2c, round_robin, random };
/// As in the configuration: "least-requests".
std::string to_string(routing_policy policy);

/// What an agent's score is made of, under the adaptive policy. The lowest score wins: it is the
/// expected time until the task is done, in milliseconds, made longer by what speaks against the
/// agent.
struct score_terms {
  double expected_ms{0}; ///< until the task would be done here: its latency times what is before it
  double skill{1};       ///< proficiency in the skills that the task needs, 0 to 1
  double success{1};     ///< recent share of attempts that did not fail for the agent's reason
  double affinity{0};    ///< 1: the task's context belongs here; 0: it does not, or has none
  bool hot{false};       ///< has more to do than most: taken only if all are hot
  double score{0};

  bool operator==(const score_terms&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, score_terms& x) {
  return f(x.expected_ms, x.skill, x.success, x.affinity, x.hot, x.score);
}

/// An agent as the router saw it when it decided for a task, or when it was asked why it waits.
struct candidate {
  agent_key agent;
  bool eligible{false}; ///< could have been given the task
  bool chosen{false};
  std::string note; ///< why it was not eligible, in words; empty if it was
  std::uint32_t in_flight{0};
  std::uint32_t max_concurrency{1};
  double success_rate{1};
  double latency_ms{0};
  score_terms terms{};

  bool operator==(const candidate&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, candidate& x) {
  return f(x.agent, x.eligible, x.chosen, x.note, x.in_flight, x.max_concurrency, x.success_rate,
           x.latency_ms, x.terms);
}

/// The best of the candidates, the best first.
struct candidate_list {
  std::vector<candidate> best;
  std::uint32_t omitted{0}; ///< how many there were beside them
  routing_policy policy{};  ///< by which one was chosen

  bool operator==(const candidate_list&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, candidate_list& x) {
  return f(x.best, x.omitted, x.policy);
}

/// Why a task waits for an agent.
enum class wait_reason : std::uint8_t {
  no_agent,    ///< the role has none
  at_limit,    ///< all have as many attempts as they may have
  parked,      ///< those with a free slot have asked to be left alone for some time
  lacks_skill, ///< none has the skills that the task needs
  draining,    ///< those that are left get nothing new
  suspect,     ///< those that are left behave as if they were gone
  bounded,     ///< as many attempts run as may run at the same time over all roles
  ejected,     ///< those with a free slot have failed too often, and are left alone for some time
  role_cap,    ///< as many attempts of the role run as may
  key_cap,     ///< as many attempts of its fairness key run as may
  rate_limit,  ///< role, agents or fairness key have used up what they may start per time
  better_soon, ///< a much better agent is about to be free
  unhealthy,   ///< those that are left fail their health checks
  fair_share,  ///< its fairness key has its share, and what is free is left to others
};
std::string to_string(wait_reason reason);

/// The router's word on a task that waits.
struct wait_explanation {
  wait_reason reason{};
  std::uint32_t position{0}; ///< in the role's waiting line, from 1
  std::uint32_t waiting{0};  ///< in that line
  /// With `parked`, `ejected`, `rate_limit`, `better_soon`: until then. With `unhealthy`: until the
  /// next check.
  millis until{0};
  candidate_list candidates;
  std::string limit{}; ///< with a cap, a rate limit, or `fair_share`: which one, in words

  bool operator==(const wait_explanation&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, wait_explanation& x) {
  return f(x.reason, x.position, x.waiting, x.until, x.candidates, x.limit);
}

/// The router's answer: a slot of this agent is held for the attempt until it is reported finished.
struct placement {
  task_id task;
  std::uint32_t attempt{0};
  agent_record agent;
  shared<candidate_list> candidates; ///< among which it was chosen

  bool operator==(const placement&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, placement& x) {
  return f(x.task, x.attempt, x.agent, x.candidates);
}

/// The router's answer if there will be no agent.
struct placement_refused {
  task_id task;
  std::uint32_t attempt{0};
  failure error;

  bool operator==(const placement_refused&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, placement_refused& x) {
  return f(x.task, x.attempt, x.error);
}

/// How much work there is for a role.
struct role_demand {
  role_name role;
  std::uint32_t waiting{0}; ///< that an agent more would help: no limit on what may run holds them
  std::uint32_t running{0};
  std::uint32_t unmatched{0}; ///< of those waiting: no agent of the role has the skills they need
  /// Attempts that one of its agents is given at the same time, in the mean; 0 if there was none.
  double slots{0};
  bool slots_known{false}; ///< declared or learnt; else nobody has found out yet what it takes
  // Since the router has known the role, but for hedges:
  std::uint64_t asked{0}; ///< attempts that wanted an agent
  std::uint64_t ended{0}; ///< attempts that were answered, whether well or by the task's own fault
  micros worked{0};       ///< how long these took, together

  bool operator==(const role_demand&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, role_demand& x) {
  return f(x.role, x.waiting, x.running, x.unmatched, x.slots, x.slots_known, x.asked, x.ended,
           x.worked);
}

/// The manager's word that a role has no agent and that none could be had for the whole patience.
struct role_unavailable {
  role_name role;
  failure error;

  bool operator==(const role_unavailable&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, role_unavailable& x) {
  return f(x.role, x.error);
}

/// An agent with what the router knows of its work.
struct agent_load {
  agent_record agent;
  std::uint32_t in_flight{0};
  std::uint64_t succeeded{0};
  std::uint64_t failed{0}; ///< for a reason that is the agent's
  double success_rate{1};
  double latency_ms{0}; ///< moving average of completed attempts
  millis idle{0};       ///< since it last had something to do; 0 while it has
  millis parked{0};     ///< until it may be used again
  bool suspect{false};  ///< behaves as if it were gone
  failure last_error;   ///< of its attempts; no code if there was none
  millis last_error_ago{0};
  millis ejected{0};          ///< until it is tried again after too many failures
  std::uint32_t limit{0};     ///< attempts that the router gives it at the same time
  std::uint32_t ejections{0}; ///< in a row
  std::uint64_t checks_passed{0};
  std::uint64_t checks_failed{0};
  failure check_error{}; ///< of its latest health check; no code if it passed
  millis next_check{0};  ///< until then; 0 if it is due, under way, or there is none

  bool operator==(const agent_load&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, agent_load& x) {
  return f(x.agent, x.in_flight, x.succeeded, x.failed, x.success_rate, x.latency_ms, x.idle,
           x.parked, x.suspect, x.last_error, x.last_error_ago, x.ejected, x.limit, x.ejections,
           x.checks_passed, x.checks_failed, x.check_error, x.next_check);
}

/// How the health checks of a role's agents have ended, ever.
struct check_counts {
  role_name role;
  std::uint64_t passed{0};
  std::uint64_t failed{0};

  bool operator==(const check_counts&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, check_counts& x) {
  return f(x.role, x.passed, x.failed);
}

/// Everything the router sees.
struct routing_status {
  std::vector<agent_load> agents;     ///< in the order of their keys
  std::vector<role_demand> roles;     ///< those with agents or work
  std::vector<check_counts> checks{}; ///< of roles with health checks

  bool operator==(const routing_status&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, routing_status& x) {
  return f(x.agents, x.roles, x.checks);
}

} // namespace rolecall
