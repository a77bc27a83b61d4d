#pragma once

#include "actors/router/choice_policy.hpp"
#include "actors/router/context_memory.hpp"
#include "actors/router/headroom.hpp"
#include "actors/router/held_tasks.hpp"
#include "actors/router/useful_load.hpp"
#include "actors/router/waiting_line.hpp"

#include <random>

namespace rolecall {

struct router_options {
  node_name node{};                 ///< whose agents are this router's own
  std::size_t max_waiting{100'000}; ///< requests in all lines; past it: ec::queue_full
  std::size_t max_parallel{0};      ///< attempts at the same time over all roles; 0: no such bound
  millis default_park{1'000};       ///< for a 429 or 503 that does not say how long
  millis max_park{300'000};         ///< whatever `Retry-After` says
  routing_policy policy{routing_policy::adaptive};
  std::map<role_name, routing_policy> policies; ///< of roles that have one of their own
  std::uint64_t seed{0};                        ///< of the policies that draw lots
  millis latency_tau{10'000};                   ///< over which latencies are averaged
  score_weights weights;
  ejection_options ejection;
  fairness_options fairness;
  std::map<role_name, start_limit> role_limits;
  std::map<role_name, start_limit> agent_limits; ///< of each agent of the role
  start_limit key_limit;                         ///< of each fairness key that is not named
  std::map<std::string, start_limit> key_limits; ///< by fairness key
  /// By so much of what it gains a task may wait for a better agent that is busy. 0: it never does.
  double patience{1};

  bool limits_keys() const { return key_limit.any() || !key_limits.empty(); }
  routing_policy policy_of(const role_name& role) const {
    auto found = policies.find(role);
    return found == policies.end() ? policy : found->second;
  }
};

/// What is remembered of an attempt until it ends.
struct started_attempt {
  attempt_kind kind;
  std::string context;
  std::vector<std::string> skills;
};

/// Whether the request was tried there before.
bool avoids(const placement_request& request, const agent_key& key);

/// What the router knows of one role: its agents, its waiting line, how long its tasks take; and
/// the choice of an agent for a request.
class routed_role {
public:
  using time_point = routed_agent::time_point;

  routed_role(const role_name& name, std::shared_ptr<const router_options> options);
  routed_role(const routed_role&) = delete;
  routed_role& operator=(const routed_role&) = delete;

  /// An agent that a request can have now, and the others that were looked at, the best first.
  struct choice {
    routed_agent* agent{nullptr};
    std::vector<choice_option> options;
    std::optional<time_point> wait_until{}; ///< without agent: waits until then for a better one
    bool aside{false};                      ///< for one certain agent: no other request has to wait
  };
  /// @param yields leaves the better agents to others, where it makes a difference to them
  choice choose(const placement_request& request, std::mt19937_64& chance, time_point now,
                bool yields = false);
  /// The terms of an agent's score for a request, with the mean of the request's class.
  score_terms score(const placement_request& request, const routed_agent& a,
                    const routed_agent* home, double class_us, time_point now) const;
  /// Where the request's context belongs, as things are.
  const routed_agent* home_of(const placement_request& request, time_point now) const;
  /// What is to be known at the end of an attempt that starts now.
  started_attempt start(const placement_request& request, routed_agent& a);
  /// What the end of an attempt tells of its agent.
  void learn(routed_agent& a, const attempt_outcome& outcome, const started_attempt& what,
             time_point now);
  /// The agent has asked to be left alone, for so long if it has said.
  void park(routed_agent& a, millis asked, time_point now) const;
  /// Those that were put aside for the agent are looked at again: it is free, or will not be.
  void bring_back(const agent_key& agent);
  /// The same for those whose time is over.
  void bring_back_due(time_point now);
  void clock_went_back(time_point before, time_point now);

  /// By what it is decided whether a key is greedy: how many of the slots are of use, and which of
  /// those are not other nodes'.
  headroom::situation situation_of(std::uint8_t priority, const std::string& fairness_key) const;
  /// To be called before one of its agents gets or ends an attempt.
  void follow_load(time_point now) { useful.follow(pool.own_in_flight(), pool.usable(), now); }

  agent_pool pool;
  waiting_line line;
  latency_model latency;
  context_memory contexts;
  held_tasks held;
  useful_load useful;
  headroom room;
  start_gate gate;
  std::uint32_t running{0};  // attempts on agents of this node, of peers too, without hedges
  std::uint32_t admitted{0}; // of these: of peers
  std::uint32_t away{0};     // the same as `running` on agents of other nodes
  std::uint32_t peak{0};     // most of `running` since somebody looked
  std::uint32_t hedging{0};
  std::uint64_t asked{0}; // as role_demand has it, and so are the next two
  std::uint64_t ended{0};
  micros worked{0};
  std::uint64_t asked_seen{0}; // of `asked`: divided already
  double asked_own{0};         // of these: the part that agents of this node are for
  role_demand told;
  std::vector<placement_request> hedges; // until the next dispatch
  // One that has just come and found nobody waiting; until the next dispatch, likewise.
  std::optional<placement_request> newcomer;
  std::optional<time_point> wake; // when it is to be looked at again

private:
  attempt_kind kind_of(const placement_request& request, const routed_agent& a) const;
  bool is_last_of(const std::string& context_id, const routed_agent& a) const;
  bool has_others(const placement_request& request, const agent_pool::matches& groups,
                  time_point now) const;
  double skill_factor(double lack) const;
  bool is_wanted_elsewhere(const placement_request& request, const routed_agent& a) const;
  bool is_worth_more_elsewhere(const placement_request& request, const routed_agent& a,
                               bool yields) const;
  std::optional<time_point> worth_waiting_until(const placement_request& request,
                                                const choice_option& best,
                                                const agent_pool::matches& groups, time_point now);
  std::optional<time_point> worth_waiting_for_home(const placement_request& request,
                                                   const choice_option& best, time_point now);
  static void put_first_what_can_be_spared(std::vector<choice_option>& options);
  struct busy_agents {
    std::uint64_t slots{0};
    double rate{0};
  };
  busy_agents busy_below(double cost, const agent_pool::matches& groups) const;
  double idle_cost(const placement_request& request, const routed_agent& a, time_point now) const;
  held_tasks::duration worth(double gain_us) const;
  bool is_hot(const routed_agent& a, time_point now) const;
  void note_load(const routed_agent& a, time_point now);

  std::shared_ptr<const router_options> options_;
  std::unique_ptr<choice_policy> policy_;
  std::map<std::vector<std::string>, work_rate> served_; // by the skills needed, bounded
  // How full agents were of late, as those were that lots were drawn of: in 64ths of their limit.
  std::array<std::uint8_t, 128> loads_{};
  std::array<std::uint8_t, 65> load_counts_{};
  std::size_t load_samples_{0};
};

} // namespace rolecall
