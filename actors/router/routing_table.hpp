#pragma once

#include "actors/registry/agent_follower.hpp"
#include "actors/router/routed_role.hpp"
#include "messages/cluster.hpp"

#include <variant>

namespace rolecall {

/// The router's core. It learns of agents from the registry's events alone, holds the waiting lines
/// and decides who runs what.
///
/// Whose turn it is says the role's waiting_line, within the limits; who gets it says the role's
/// policy, among the agents that have the skills and a free slot. An agent on which the task was
/// tried before is taken only if there is no other that could take it. See docs/routing.md.
///
/// Whoever changes something calls `dispatch` afterwards, and takes what has come of it.
class routing_table {
public:
  using time_point = std::chrono::steady_clock::time_point;
  using decision = std::variant<placement, placement_refused>;

  explicit routing_table(router_options options = {})
      : options_{std::make_shared<router_options>(std::move(options))}, chance_{options_->seed} {}

  // -- what is told
  // ----------------------------------------------------------------------------------

  void reset(const agent_snapshot& snapshot, time_point now);
  /// False if an event is missing before this one: then the table is stale, and wants a snapshot.
  bool apply(const agent_event& event, time_point now);
  void learn(role_directory directory);
  void place(placement_request request);
  /// Gives whether the task was waiting.
  bool withdraw(const task_id& task);
  void finished(const attempt_outcome& outcome, time_point now);
  void unavailable(const role_unavailable& news);
  /// Holds a slot of an agent for a health check, until `checked` is told. Gives whether it could:
  /// not if the agent has no free one, gets nothing new, or has asked to be left alone. The check
  /// counts against the agent's own limits, and against no other.
  bool begin_check(const agent_key& key, time_point now);
  void checked(const health_report& report, time_point now);
  /// Agents of other nodes: how many attempts of others they have.
  void learn(const agent_uses& uses, time_point now);
  /// What other nodes can spawn.
  void learn(peer_offers offers);
  /// An attempt of another node's task wants an agent of this node. If it can have it, a slot is
  /// held until it has `finished`.
  bool admit(const task_id& task, std::uint32_t attempt, const agent_key& agent, time_point now);
  /// From here on `take_uses` tells of the agents of this node, of all of them first.
  void tell_uses();

  // -- what comes of it
  // ------------------------------------------------------------------------------

  /// Decides all that can be decided now.
  std::vector<decision> dispatch(time_point now);
  /// Demand that has changed since the last call; of a role of which nobody waits only if it was
  /// asked for its idle agents in between.
  std::vector<role_demand> take_demand();
  /// Agents that are drained, each told once.
  std::vector<agent_key> take_drained();
  /// Agents that behave as if they were gone, each told once.
  std::vector<agent_key> take_suspects();
  /// How many attempts agents of this node have, where that has changed.
  agent_uses take_uses();
  /// What waits here for agents that other nodes can spawn, where that has changed. After
  /// `take_demand`.
  std::vector<away_demand> take_away_demand() { return std::exchange(away_news_, {}); }
  /// When something may be possible that is not now: the end of the first park, ejection, wait for
  /// a better agent, or when a rate allows the next.
  std::optional<time_point> next_due() const;

  /// Those of a role that have had nothing to do for as long; first those that are left alone
  /// (ejected, on probation, parked, suspect), then those that have failed more of late.
  std::vector<agent_key> idle(const role_name& role, millis at_least, time_point now);
  /// Why a task waits; none if it does not.
  std::optional<wait_explanation> explain(const task_id& task, time_point now) const;
  routing_status status(time_point now) const;

private:
  struct running {
    agent_key agent;
    role_name role;
    started_attempt what;
    std::string fairness_key;
    std::uint8_t priority;
    bool hedge;
    bool away;
    bool admitted; // of another node's task: nobody's here
  };
  /// Each once, in their order. Mostly there is one: that costs nothing but to look at it.
  class role_names {
  public:
    void insert(const role_name& name) {
      auto at = std::lower_bound(names_.begin(), names_.end(), name);
      if (at == names_.end() || *at != name)
        names_.insert(at, name);
    }
    void clear() { names_.clear(); }
    auto begin() const { return names_.begin(); }
    auto end() const { return names_.end(); }

  private:
    std::vector<role_name> names_;
  };
  /// What could be placed next of a role.
  struct proposal {
    const placement_request* request{nullptr};
    routed_role::choice choice;
  };

  routed_role& role_of(const role_name& name);
  routed_agent* find(const agent_key& key);
  bool is_own(const agent_key& key) const { return key.node == options_->node; }
  void note_use(const routed_agent& a);
  void learn_offers();
  void split(role_demand& demand, routed_role& role);
  void insert(const agent_record& record, time_point now);
  void change(const agent_follower::changes& what, time_point now);
  void remove(const agent_key& key);
  void check_drained(routed_agent& a);
  void suspect(routed_agent& a, ec why, time_point now);
  void suspect_service(const service_name& service, time_point now);
  std::optional<failure> hopeless(const role_name& name,
                                  const std::vector<std::string>& needed) const;
  void refuse_hopeless(const role_name& name);
  void forget_if_unused(const role_name& name);
  role_demand demand_of(const role_name& name, const routed_role& role, time_point now) const;

  // -- routing_dispatch.cpp
  void follow_clock(time_point now);
  void wake_due(time_point now);
  void wake_at(const role_name& name, routed_role& role, time_point at);
  void dispatch_hedges(routed_role& role, time_point now, std::vector<decision>& out);
  proposal propose(const role_name& name, routed_role& role, time_point now);
  bool may_start(const role_name& name, routed_role& role, time_point now);
  fit look_at(const placement_request& request, const role_name& name, routed_role& role,
              time_point now, routed_role::choice& choice);
  void wait_in_line(routed_role& role, placement_request request);
  void leave_line(routed_role& role, const placement_request& request);
  void place_newcomer(const role_name& name, routed_role& role, time_point now,
                      std::vector<decision>& out);
  placement settle(routed_role& role, const placement_request& request,
                   const routed_role::choice& choice, time_point now);
  bool full() const {
    return options_->max_parallel != 0 && running_.size() >= options_->max_parallel;
  }
  start_gate* gate_of(const std::string& fairness_key, time_point now);
  bool key_may_start(const std::string& fairness_key, time_point now);
  void end_of_key(routed_role& role, const running& run, time_point now);
  void key_changed(const std::string& fairness_key);
  void tell_lines(time_point now);
  void release_key(const std::string& fairness_key);
  static std::optional<headroom::reserve> left_to_others(const routed_role& role,
                                                         const placement_request& request);

  // -- routing_explained.cpp
  static candidate& add_candidate(candidate_list& to, const routed_agent& a, std::string note,
                                  time_point now);
  candidate_list candidates_of(const placement_request& request, const routed_role& role,
                               const routed_role::choice& choice, time_point now) const;
  candidate_list candidates_for(const placement_request& request, const routed_role& role,
                                time_point now) const;
  void find_reason(const placement_request& request, const routed_role& role, time_point now,
                   wait_explanation& into) const;
  bool find_limit(const placement_request& request, const routed_role& role, time_point now,
                  wait_explanation& into) const;

  std::shared_ptr<const router_options> options_; // shared with the roles
  std::mt19937_64 chance_;
  time_point last_now_{};
  agent_follower agents_told_{0}; // by the registry
  role_directory directory_;
  std::map<role_name, std::set<std::string>> offered_; // skills, by role
  std::map<role_name, routed_role> roles_;
  std::unordered_map<agent_key, routed_agent*> agents_; // of all roles
  // A slot is held for each.
  std::unordered_map<attempt_key, running> running_;
  std::unordered_map<agent_key, std::uint32_t> orphans_;   // how many run on agents that are gone
  std::unordered_map<task_id, role_name> waiting_in_;      // whose line each of them is in
  std::unordered_map<std::string, start_gate> keys_;       // fairness keys that have limits
  std::size_t sweep_keys_at_{10'000};                      // so many: who needs none is dropped
  std::set<std::pair<time_point, role_name>> wakes_;       // roles to look at by then
  std::set<std::pair<time_point, std::string>> key_wakes_; // keys whose rate lets them go by then
  role_names changed_;                                     // roles to look at in the next dispatch
  std::set<std::string> keys_changed_;                     // whose limits allow more or less now
  std::map<role_name, check_counts> checks_;               // of roles with health checks
  role_names demand_changed_;
  std::set<role_name> demand_asked_; // to be told though nobody waits
  std::vector<placement_refused> refused_;
  std::vector<agent_key> drained_;
  std::vector<agent_key> suspects_;
  // -- of a cluster
  peer_offers peer_offers_{{}, true};
  std::map<std::pair<node_name, role_name>, role_demand> away_told_;
  std::vector<away_demand> away_news_;
  bool telling_uses_{false};
  std::map<agent_key, std::uint32_t> uses_; // that have changed
};

} // namespace rolecall
