#pragma once

#include "messages/basics.hpp"

#include <vector>

/// What is said of agents, and of the services that host them.
namespace rolecall {

enum class agent_state : std::uint8_t {
  ready,     ///< may be given tasks
  draining,  ///< finishes what it has, gets nothing new, is retired then
  unhealthy, ///< its health checks fail: gets nothing new until they pass
};
std::string to_string(agent_state state);

/// An agent as its service reported it.
struct agent_record {
  agent_key key;
  role_name role;
  skill_map skills;
  std::uint32_t max_concurrency{1}; ///< attempts at the same time, at least 1
  agent_state state{agent_state::ready};
  std::string service_url;   ///< under which its service is called
  std::uint64_t revision{0}; ///< given by the manager, grows with each change of any of its records
  /// Whether the service has named the limit; if not, `max_concurrency` is the most that is tried.
  bool limit_declared{true};
  failure problem{}; ///< why it is unhealthy; no code if it is not

  bool operator==(const agent_record&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, agent_record& x) {
  return f(x.key, x.role, x.skills, x.max_concurrency, x.state, x.service_url, x.revision,
           x.limit_declared, x.problem);
}

/// A role that a service can spawn agents for.
struct role_offer {
  role_name role;
  service_name service;
  skill_map skills;
  std::uint32_t max_concurrency{1};
  std::uint32_t min_agents{0};
  std::uint32_t max_agents{0};
  bool limit_declared{true}; ///< as of an agent

  bool operator==(const role_offer&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, role_offer& x) {
  return f(x.role, x.service, x.skills, x.max_concurrency, x.min_agents, x.max_agents,
           x.limit_declared);
}

/// All roles that can be spawned at this time.
struct role_directory {
  /// False as long as some service has never told its roles: then an unknown role may yet turn up.
  bool complete{false};
  std::vector<role_offer> offers;

  bool operator==(const role_directory&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, role_directory& x) {
  return f(x.complete, x.offers);
}

/// A service as the manager sees it.
struct service_status {
  service_name name;
  std::string url;
  bool reachable{false}; ///< whether its last check succeeded
  std::string problem;   ///< why not
  std::uint32_t agents{0};
  node_name held_by{}; ///< another node that manages it; empty: this one does

  bool operator==(const service_status&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, service_status& x) {
  return f(x.name, x.url, x.reachable, x.problem, x.agents, x.held_by);
}

/// A role as the manager sees it.
struct role_status {
  role_name role;
  std::uint32_t ready{0};
  std::uint32_t draining{0};
  std::uint32_t starting{0}; ///< spawns that are under way
  failure trouble;           ///< why it has fewer agents than it needs; no code if there is none
  std::uint32_t desired{0};  ///< agents that it should have now
  bool panic{false};         ///< a burst: it grows at once and does not shrink
  std::uint32_t spawn_failures{0}; ///< in a row
  millis spawn_backoff{0};         ///< until a spawn is tried again
  std::uint32_t unhealthy{0};

  bool operator==(const role_status&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, role_status& x) {
  return f(x.role, x.ready, x.draining, x.starting, x.trouble, x.desired, x.panic, x.spawn_failures,
           x.spawn_backoff, x.unhealthy);
}

/// The fleet as the manager sees it. Counts are of what services have confirmed.
struct fleet_status {
  std::vector<service_status> services;
  role_directory roles;
  std::vector<role_status> role_states; ///< of roles with agents or work
  std::uint64_t spawned{0};             ///< spawns that a service confirmed, ever
  std::uint64_t spawns_failed{0};       ///< spawns that a service refused or did not answer, ever
  std::uint64_t retired{0};             ///< agents that a service confirmed to have ended, ever

  bool operator==(const fleet_status&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, fleet_status& x) {
  return f(x.services, x.roles, x.role_states, x.spawned, x.spawns_failed, x.retired);
}

} // namespace rolecall
