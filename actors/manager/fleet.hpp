#pragma once

#include "actors/manager/agents_service_protocol.hpp"
#include "messages/values.hpp"

#include <chrono>
#include <map>
#include <optional>
#include <variant>
#include <vector>

namespace rolecall {

/// The wish for a role.
struct role_policy {
  service_name service; ///< that hosts it; empty: the first one that offers it
  std::uint32_t min_agents{0};
  std::uint32_t max_agents{8};
  millis idle_timeout{60'000}; ///< after which an agent above the minimum is retired
};

struct fleet_options {
  std::vector<service_config> services;
  std::map<role_name, role_policy> roles;
  role_policy defaults;                   ///< for roles that are not named
  millis check_interval{2'000};           ///< between two checks of a service
  millis failing_check_interval{500};     ///< the same, while its checks fail
  std::uint32_t failed_checks_to_down{3}; ///< in a row, until its agents are taken for dead
  millis roles_interval{30'000};          ///< between two looks at what it offers
  millis patience{10'000};   ///< how long tasks wait for a role that has no agent and gets none
  millis spawn_backoff{200}; ///< after a failed spawn, doubled by each further one
  millis max_spawn_backoff{5'000};
  millis max_retry_after{300'000};        ///< whatever `Retry-After` says
  std::uint32_t max_spawns_in_flight{16}; ///< per service
  millis tick{100};                       ///< between two looks at what is due
};

/// How many agents a role should have: enough for all that waits and runs, within its bounds.
std::uint32_t desired_agents(const role_policy& policy, const role_demand& demand,
                             std::uint32_t max_concurrency);

/// The manager's core: the services, their agents, and the wish for each role. It is told what
/// happens and gives back what is to be done; it calls nobody itself.
///
/// An agent is known only from an answer of its service: to a spawn (201) or in a list. A list that
/// was asked for before something else was learnt (a spawn, a retirement, a suspicion) does not
/// undo it: checks are numbered in rounds.
class fleet {
public:
  using time_point = std::chrono::steady_clock::time_point;

  // -- what is to be done
  // ----------------------------------------------------------------------------
  struct put {
    agent_record record;
  };
  struct remove {
    agent_key key;
  };
  struct ask_idle { ///< the router, for the agents of a role that have been idle for so long
    role_name role;
    millis at_least;
  };
  /// `service_answer` stands for a question to a service, `role_directory` and `role_unavailable`
  /// are news for the router.
  using effect =
      std::variant<put, remove, ask_idle, service_answer, role_directory, role_unavailable>;
  using effects = std::vector<effect>;

  explicit fleet(fleet_options options = {});

  // -- what happens
  // ----------------------------------------------------------------------------------
  effects on_tick(time_point now);
  effects on_demand(const role_demand& demand, time_point now);
  effects on_drained(const agent_key& key);
  effects on_suspect(const agent_key& key, time_point now);
  effects on_idle(const role_name& role, const std::vector<agent_key>& idle);
  effects on_answer(const service_answer& answer, time_point now);
  /// Somebody asks for an agent: `order` comes back with the service's answer.
  std::variant<effects, failure> spawn_one(const role_name& role, std::uint64_t order);
  /// Somebody wants an agent gone: it is drained for good. None if it is not known.
  std::optional<std::pair<agent_record, effects>> drain_one(const agent_key& key);
  /// From here on nothing is spawned; what was spawned here and is not a role's minimum is drained.
  effects begin_retirement(time_point now);

  // -- what can be asked
  // -----------------------------------------------------------------------------
  /// Whether every service has been checked at least once.
  bool checked() const;
  /// Whether nothing is left of what `begin_retirement` wanted gone.
  bool retired() const;
  fleet_status status() const;
  const service_config& config_of(const service_name& name) const;
  const fleet_options& options() const noexcept { return options_; }

private:
  struct service {
    service_config config;
    bool reachable{false};
    bool told_roles{false};
    std::string problem{"has not answered yet"};
    ec problem_kind{ec::service_unreachable};
    std::uint32_t failed_checks{0};
    std::uint64_t round{0};         // of the latest check
    std::uint64_t failed_round{0};  // the latest one that failed
    std::uint64_t refresh_after{0}; // agents seen in a later round than this are put anew
    bool refresh{false};
    int answers_due{0}; // of the latest check
    bool checked{false};
    time_point next_check{};
    time_point next_roles{};
    std::vector<role_offer> offers;
    std::uint32_t spawning{0};
    std::map<agent_id, std::uint64_t> ended; // agent → round in which it was retired
  };
  struct agent {
    agent_record record;
    std::uint64_t known_round{0}; // lists of this round or older cannot take it away
    bool ours{false};             // spawned here, not found
    bool drained{false};          // nothing runs on it any more
    bool unwanted{false};         // drained on request: not taken back when there is more to do
    bool retiring{false};         // its service has been asked to end it
    time_point retry_at{};        // if that failed
  };
  struct role {
    role_demand demand;
    std::uint32_t spawning{0};
    std::uint32_t failures{0}; // of spawns, in a row
    time_point spawn_not_before{};
    std::optional<time_point> trouble_since; // waits, has no agent, and something failed
    failure trouble;
  };

  role_policy policy_of(const role_name& name) const;
  service* service_of(const role_name& name);
  const role_offer* offer_of(const role_name& name) const;
  std::uint32_t count(const role_name& name, agent_state state) const;
  void check(service& s, time_point now, effects& out);
  void ask(service& s, service_question question, effects& out);
  void scale(const role_name& name, time_point now, effects& out);
  void spawn(const role_name& name, role& r, service& s, std::uint64_t order, effects& out);
  bool undrain(const role_name& name, effects& out);
  void drain(agent& a, effects& out);
  void retire(agent& a, effects& out);
  void note_trouble(role& r, failure why, time_point now);
  void check_patience(const role_name& name, role& r, time_point now, effects& out);
  void on_check_answer(service& s, const service_answer& answer, time_point now, effects& out);
  void on_check_failed(service& s, const service_answer& answer, time_point now, effects& out);
  void on_roles(service& s, const service_answer& answer, effects& out);
  void on_listed(service& s, const service_answer& answer, time_point now, effects& out);
  void on_spawned(service& s, const service_answer& answer, time_point now, effects& out);
  void on_spawn_failed(service& s, const service_answer& answer, time_point now, effects& out);
  void on_retired(service& s, const service_answer& answer, time_point now, effects& out);
  void put_record(agent& a, effects& out);
  void drop(const agent_key& key, effects& out);
  role_directory directory() const;

  fleet_options options_;
  std::map<service_name, service> services_;
  std::map<agent_key, agent> agents_;
  std::map<role_name, role> roles_;
  std::uint64_t revision_{0};
  std::uint64_t spawned_{0};
  std::uint64_t spawns_failed_{0};
  std::uint64_t retired_{0};
  bool retiring_{false};
};

} // namespace rolecall
