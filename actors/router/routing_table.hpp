#pragma once

#include "actors/router/waiting_line.hpp"
#include "messages/events.hpp"

#include <algorithm>
#include <chrono>
#include <optional>
#include <random>
#include <tuple>
#include <variant>

namespace rolecall {

struct router_options {
  std::size_t max_waiting{100'000}; ///< requests in all lines; past it: ec::queue_full
  std::size_t max_parallel{0};      ///< attempts at the same time over all roles; 0: no such bound
  millis default_park{1'000};       ///< for a 429 or 503 that does not say how long
  millis max_park{300'000};         ///< whatever `Retry-After` says
  routing_policy policy{routing_policy::adaptive};
  std::map<role_name, routing_policy> policies; ///< of roles that have one of their own
  std::uint64_t seed{0};                        ///< of the policies that draw lots

  routing_policy policy_of(const role_name& role) const {
    auto found = policies.find(role);
    return found == policies.end() ? policy : found->second;
  }
};

/// The router's core. It learns of agents from the registry's events alone, holds the waiting lines
/// and decides who runs what.
///
/// Among the agents of the role that have the skills and a free slot the role's policy chooses. An
/// agent on which the task was tried before is taken only if there is no other that could take it.
///
/// Whoever changes something calls `dispatch` afterwards, and takes what has come of it.
class routing_table {
public:
  using time_point = std::chrono::steady_clock::time_point;
  using decision = std::variant<placement, placement_refused>;

  explicit routing_table(router_options options = {})
      : options_{std::move(options)}, chance_{options_.seed} {}

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
  /// When something may be possible that is not now: the end of the first park.
  std::optional<time_point> next_due() const;

  std::vector<agent_key> idle(const role_name& role, millis at_least, time_point now);
  /// Why a task waits; none if it does not.
  std::optional<wait_explanation> explain(const task_id& task, time_point now) const;
  routing_status status(time_point now) const;

private:
  struct agent {
    agent_record record;
    std::uint32_t in_flight{0};
    time_point idle_since{};
    time_point parked_until{};
    bool suspect{false};
    bool drain_told{false};
    std::uint64_t succeeded{0};
    std::uint64_t ended{0}; // succeeded or failed for a reason that is the agent's
    double latency_us{0};   // moving average of completed attempts
    failure last_error;     // of its attempts
    time_point last_error_at{};

    bool has(const std::vector<std::string>& skills) const;
    bool usable(time_point now) const;
    bool free_slot() const { return in_flight < record.max_concurrency; }
    double success_rate() const;
    /// The better agent for a task has the greater merit.
    auto merit() const {
      return std::tuple{record.max_concurrency - std::min(in_flight, record.max_concurrency),
                        success_rate(), -latency_us};
    }
  };
  struct running {
    agent_key agent;
    role_name role;
    std::uint32_t attempt;
  };
  struct role_state {
    std::map<agent_key, agent> agents;
    agent_key last_taken; // by the round robin
    waiting_line line;
    std::uint32_t running{0};
    role_demand told;
  };

  agent* find(const agent_key& key);
  void insert(const agent_record& record, time_point now);
  void remove(const agent_key& key);
  void check_drained(agent& a);
  std::vector<agent*> free_for(const placement_request& request, role_state& role, time_point now);
  agent* choose(const std::vector<agent*>& free, const role_name& name, role_state& role);
  std::optional<failure> hopeless(const role_name& name,
                                  const std::vector<std::string>& needed) const;
  void refuse_hopeless(const role_name& role);
  void forget_if_unused(const role_name& name);
  static bool has_room(const role_state& role, time_point now);
  void settle(role_state& role, const placement_request& request, agent& a);
  role_demand demand_of(const role_name& name, const role_state& role) const;
  candidate_list candidates_for(const placement_request& request, const role_state& role,
                                const agent* chosen, time_point now) const;
  wait_reason reason_to_wait(const placement_request& request, const role_state& role,
                             time_point now) const;

  router_options options_;
  std::mt19937_64 chance_;
  std::uint64_t sequence_{0};
  role_directory directory_;
  std::map<role_name, role_state> roles_;
  std::map<agent_key, role_name> role_of_;
  std::unordered_map<task_id, running> running_;      // a slot is held for each
  std::unordered_map<task_id, role_name> waiting_in_; // whose line each of them is in
  std::multimap<time_point, role_name> parks_;        // when an agent of a role may be used again
  std::set<role_name> changed_;                       // roles to look at in the next dispatch
  std::set<role_name> demand_changed_;
  std::set<role_name> demand_asked_; // to be told though nobody waits
  std::vector<placement_refused> refused_;
  std::vector<agent_key> drained_;
  std::vector<agent_key> suspects_;
};

} // namespace rolecall
