#pragma once

#include "actors/registry/agent_follower.hpp"
#include "messages/events.hpp"

#include <chrono>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <utility>
#include <vector>

namespace rolecall {

/// How the agents of a role are checked. The terms are Envoy's.
struct health_check {
  json_text input{};                    ///< of the call
  millis interval{10'000};              ///< between two checks of an agent, 10 % more or less
  millis timeout{5'000};                ///< of the call; less than the interval
  std::uint32_t unhealthy_threshold{3}; ///< failed checks in a row that make it unhealthy
  std::uint32_t healthy_threshold{2};   ///< passed ones that make it healthy again
};

struct health_options {
  node_name node{};                        ///< whose agents are checked
  std::map<role_name, health_check> roles; ///< those that are checked
  std::size_t max_in_flight{16};           ///< checks at the same time, of each role
  millis first_within{1'000};              ///< of an agent's coming, at most an interval
  std::uint64_t seed{0};                   ///< of the times and ids that are drawn by lot
};

/// The checker's core: which agent is to be checked when, and what its checks have shown. It is
/// told what happens and calls nobody.
///
/// A check goes through three steps: `due` names the agent, `begin` gives the call if a slot of the
/// agent could be had (else `skip`), `ended` takes its outcome. No agent has two at a time, and no
/// role more than a quarter of its agents (at least one, at most `max_in_flight`): they are there
/// for tasks.
///
/// An agent is forgotten when it goes or drains. What it takes is bounded by the registry's agents.
class health_checks {
public:
  using time_point = std::chrono::steady_clock::time_point;

  explicit health_checks(health_options options = {})
      : options_{std::move(options)}, chance_{options_.seed} {}

  // -- what happens
  // ----------------------------------------------------------------------------------

  void reset(const agent_snapshot& snapshot, time_point now);
  /// False if an event is missing before this one: then a snapshot is wanted.
  bool apply(const agent_event& event, time_point now);
  /// The agents whose checks begin now, each until `begin` or `skip`, and then `ended`.
  std::vector<agent_key> due(time_point now);
  /// The call that checks an agent; none if it went in the meantime, or drains.
  std::optional<attempt_request> begin(const agent_key& key);
  /// The agent has no slot for a check now: the next one is an interval later.
  void skip(const agent_key& key, time_point now);
  /// What a check has come to: nothing, if the agent was forgotten in the meantime.
  health_report ended(const attempt_outcome& outcome, time_point now);

  // -- what comes of it
  // ------------------------------------------------------------------------------

  /// When `due` may name somebody. One that waits for others to end is not counted.
  std::optional<time_point> next_due() const;
  /// Checks that nobody wants the end of any more; each is told once.
  std::vector<task_id> take_canceled() { return std::exchange(canceled_, {}); }

private:
  enum class step : std::uint8_t { waits, asked, runs };

  struct checked_agent {
    agent_record record;
    step at{step::waits};
    time_point next{};
    task_id call; // while it runs
    bool healthy{true};
    std::uint32_t in_a_row{0}; // checks that ended against `healthy`
  };
  struct checked_role {
    health_check check;
    std::set<std::pair<time_point, agent_key>> waiting; // for their next check
    std::size_t agents{0};
    std::size_t in_flight{0};
    std::size_t bound(const health_options& options) const;
  };

  void insert(const agent_record& record, time_point now);
  void change(const agent_follower::changes& what, time_point now);
  void remove(const agent_key& key);
  void learn(checked_agent& a, check_result result);
  void wait(checked_agent& a, time_point next);
  millis interval_of(const health_check& check);

  health_options options_;
  std::mt19937_64 chance_;
  agent_follower agents_told_{0}; // by the registry
  std::map<agent_key, checked_agent> agents_;
  std::map<role_name, checked_role> roles_; // with agents
  std::vector<task_id> canceled_;
};

} // namespace rolecall
