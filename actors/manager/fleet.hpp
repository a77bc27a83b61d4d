#pragma once

#include "actors/manager/agents_service_protocol.hpp"
#include "actors/manager/autoscaler.hpp"
#include "actors/manager/cautious_growth.hpp"
#include "actors/manager/spawn_limit.hpp"
#include "messages/cluster.hpp"

#include <chrono>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <variant>
#include <vector>

namespace rolecall {

struct fleet_options {
  std::vector<service_config> services;
  std::map<role_name, role_policy> roles;
  role_policy defaults; ///< for roles that are not named
  scaling_windows windows;
  std::uint32_t max_agents{0};            ///< of all roles together; 0: no such bound
  double spawn_rate{100};                 ///< spawns that a service is asked for in a second
  double spawn_burst{100};                ///< the same at once, after a time without any
  millis check_interval{2'000};           ///< between two checks of a service
  millis failing_check_interval{500};     ///< the same, while its checks fail
  std::uint32_t failed_checks_to_down{3}; ///< in a row, until its agents are taken for dead
  millis roles_interval{30'000};          ///< between two looks at what it offers
  millis patience{10'000};   ///< how long tasks wait for a role that has no agent and gets none
  millis spawn_backoff{200}; ///< after a failed spawn, doubled by each further one
  millis max_spawn_backoff{5'000};
  millis max_retry_after{300'000};         ///< whatever `Retry-After` says
  std::uint32_t max_spawns_in_flight{256}; ///< per service
  millis probation{10'000}; ///< an agent that is gone sooner after its spawn was a failed spawn
  millis slow_spawn{5'000}; ///< under way for longer, a spawn is a trouble that is told
  millis tick{100};         ///< between two looks at what is due
};

/// The manager's core: the services, their agents, and the wish for each role. It is told what
/// happens and gives back what is to be done; it calls nobody itself. How many agents a role should
/// have is decided by its `autoscaler`, and by the division of the total over all roles.
///
/// An agent is known only from an answer of its service: to a spawn (201) or in a list. A list that
/// was asked for before something else was learnt (a spawn, a retirement, a suspicion) does not
/// undo it: checks are numbered in rounds.
///
/// A clock that is set back is taken to go on from where it was.
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
  /// The router, for the agents of a role that have been idle for so long. That it is asked also
  /// makes it tell the role's demand.
  struct ask_idle {
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
  /// What other nodes want agents for, beside that.
  effects on_peer_demand(const role_demand& demand, time_point now);
  /// Services that other nodes manage. Their agents are not known here until that changes.
  effects on_holds(const service_holds& holds, time_point now);
  effects on_drained(const agent_key& key);
  effects on_suspect(const agent_key& key, time_point now);
  effects on_idle(const role_name& role, const std::vector<agent_key>& idle);
  /// What a health check has come to. An unhealthy agent is not counted, so that another one comes
  /// in its place.
  effects on_health(const health_report& report, time_point now);
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
  /// As of the last time that something happened.
  fleet_status status() const;
  const service_config& config_of(const service_name& name) const;
  const fleet_options& options() const noexcept { return options_; }

private:
  struct service {
    service(service_config config, spawn_limit limit) : config{std::move(config)}, limit{limit} {}

    service_config config;
    spawn_limit limit;
    bool reachable{false};
    bool told_roles{false};
    std::string problem{"has not answered yet"};
    std::map<service_question, std::string> left_out; // of its lists, and why
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
    node_name held_by; // another node that manages it; empty: this one does
    std::uint32_t agents{0};
    std::uint64_t list_content{0}; // of the latest list, if all its agents are those that are known
    std::uint64_t list_revision{0}; // when it was read
    std::uint32_t spawning{0};
    std::map<agent_id, std::uint64_t> ended; // agent → round in which it was retired
  };
  struct agent {
    agent_record record;
    std::uint64_t known_round{0};         // lists of this round or older cannot take it away
    bool ours{false};                     // spawned here, not found
    std::optional<time_point> spawned_at; // if it was
    std::optional<time_point> unhealthy_since;
    bool drained{false};   // nothing runs on it any more
    bool unwanted{false};  // drained on request: not taken back when there is more to do
    bool retiring{false};  // its service has been asked to end it
    time_point retry_at{}; // if that failed
  };
  struct role {
    role(role_name name, const role_policy& policy, const scaling_windows& windows)
        : name{std::move(name)}, policy{policy}, scaler{policy, windows} {}

    role_name name;
    role_policy policy;
    autoscaler scaler;
    cautious_growth growth; // used as long as nobody knows what an agent takes
    role_demand demand;     // all of it
    role_demand own;        // of this: what the router has told
    role_demand peers;      // and what other nodes want
    std::set<agent_key> ready;
    std::set<agent_key> draining;
    std::set<agent_key> unhealthy;
    std::uint32_t spawning{0};
    std::uint32_t failures{0};           // of spawns, in a row
    std::uint32_t backoff_level{0};      // failures that came together count as one
    std::optional<time_point> early_end; // the last time an agent was gone soon after its spawn
    time_point spawn_not_before{};
    std::optional<time_point> trouble_since; // waits, has no agent, and something failed
    failure trouble;                         // what failed last
    failure shortage; // why it is not given the agents that it needs, if nothing has failed
    std::pair<std::uint32_t, std::uint32_t> claim; // needed, kept: as of the last division
    std::uint32_t share{std::numeric_limits<std::uint32_t>::max()}; // of the total over all roles
    time_point next_sample{};

    std::uint32_t kept() const { return std::min(scaler.kept(), share); }
    std::uint32_t surplus() const;
    /// Those that are there, and those that will soon be.
    std::uint32_t expected(time_point now) const;
    /// Whether it has agents that may be given tasks, now or once they are well again.
    bool has_agents() const { return !ready.empty() || !unhealthy.empty(); }
    std::uint32_t count() const {
      return static_cast<std::uint32_t>(ready.size() + draining.size() + unhealthy.size());
    }
  };

  // -- state
  time_point advance(time_point now);
  effects add_up_demand(role& r);
  role& role_of(const role_name& name);
  role_policy policy_of(const role_name& name) const;
  service* service_of(const role_name& name);
  const role_offer* offer_of(const role_name& name) const;
  double slots_of(role& r) const;
  void enter(const agent& a);
  void leave(const agent& a);
  void put_record(agent& a, effects& out);
  void set_state(agent& a, agent_state state, effects& out);
  void drop(const agent_key& key, effects& out);
  void lose(const agent_key& key, const std::string& why, effects& out);
  role_directory directory() const;
  role_status status_of(const role& r) const;

  // -- scaling
  void scale(role& r, effects& out);
  void grow(role& r, service& s, std::uint32_t missing, effects& out);
  void divide(const role& changed);
  void look_at_load(role& r, effects& out);
  void spawn(role& r, service& s, std::uint64_t order, effects& out);
  bool undrain(role& r, effects& out);
  void retire(agent& a, effects& out);
  void back_off(role& r, failure why, millis at_least);
  void calm_down(role& r);
  void note_trouble(role& r, failure why);
  void check_patience(role& r, effects& out);
  failure trouble_of_unhealthy(const role& r) const;
  void retire_unhealthy(role& r, effects& out);

  // -- services
  void check(service& s, effects& out);
  void ask(service& s, service_question question, effects& out);
  void on_check_answer(service& s, const service_answer& answer, effects& out);
  void on_check_failed(service& s, const service_answer& answer, effects& out);
  void on_roles(service& s, const service_answer& answer, effects& out);
  void collect_offers(effects& out);
  void on_listed(service& s, const service_answer& answer, effects& out);
  void list(service& s, const agent_record& listed, bool refresh, effects& out);
  void on_spawned(service& s, const service_answer& answer, effects& out);
  void on_spawn_failed(service& s, const service_answer& answer, effects& out);
  void on_retired(service& s, const service_answer& answer, effects& out);
  std::vector<agent_key> agents_of(const service& s) const;

  fleet_options options_;
  std::map<service_name, service> services_;
  std::map<role_name, role_offer> offers_; // of each role the one that counts
  std::map<agent_key, agent> agents_;
  std::map<role_name, role> roles_;
  std::optional<time_point> now_;
  std::chrono::nanoseconds set_back_{0}; // how far the clock has been set back so far
  std::uint32_t spawning_{0};            // over all services
  bool division_stale_{true};
  std::uint64_t revision_{0}; // of the latest change of an agent
  std::uint64_t spawned_{0};
  std::uint64_t spawns_failed_{0};
  std::uint64_t retired_{0};
  bool retiring_{false};
};

} // namespace rolecall
