#pragma once

#include "messages/errors.hpp"
#include "messages/ids.hpp"
#include "messages/json_text.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

/// What the actors' messages carry. Plain values: no behaviour, equal if all members are equal.
/// Points in time never travel, lengths of time do.
namespace rolecall {

using millis = std::chrono::milliseconds;
using micros = std::chrono::microseconds;

/// Skill → proficiency from 0 to 1.
using skill_map = std::map<std::string, double>;

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, failure& x) {
  return f(x.kind, x.code, x.message);
}

// -- agents
// ----------------------------------------------------------------------------------------

enum class agent_state : std::uint8_t {
  ready,    ///< may be given tasks
  draining, ///< finishes what it has, gets nothing new, is retired then
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

  bool operator==(const agent_record&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, agent_record& x) {
  return f(x.key, x.role, x.skills, x.max_concurrency, x.state, x.service_url, x.revision);
}

/// A role that a service can spawn agents for.
struct role_offer {
  role_name role;
  service_name service;
  skill_map skills;
  std::uint32_t max_concurrency{1};
  std::uint32_t min_agents{0};
  std::uint32_t max_agents{0};

  bool operator==(const role_offer&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, role_offer& x) {
  return f(x.role, x.service, x.skills, x.max_concurrency, x.min_agents, x.max_agents);
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

  bool operator==(const service_status&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, service_status& x) {
  return f(x.name, x.url, x.reachable, x.problem, x.agents);
}

/// The fleet as the manager sees it. Counts are of what services have confirmed.
struct fleet_status {
  std::vector<service_status> services;
  role_directory roles;
  std::uint64_t spawned{0};       ///< spawns that a service confirmed, ever
  std::uint64_t spawns_failed{0}; ///< spawns that a service refused or did not answer, ever
  std::uint64_t retired{0};       ///< agents that a service confirmed to have ended, ever

  bool operator==(const fleet_status&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, fleet_status& x) {
  return f(x.services, x.roles, x.spawned, x.spawns_failed, x.retired);
}

// -- tasks
// -----------------------------------------------------------------------------------------

/// A task as it was submitted.
struct task_spec {
  task_id id;
  role_name role;
  json_text input;
  std::vector<std::string> skills; ///< an agent must have all of them
  std::uint8_t priority{0};        ///< 0 to 9, the higher goes first
  millis timeout{0};               ///< for an attempt; 0: the configuration's
  std::uint32_t max_attempts{0};   ///< 0: the configuration's
  std::string context_id;          ///< may be empty
  std::map<std::string, std::string> labels;

  bool operator==(const task_spec&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, task_spec& x) {
  return f(x.id, x.role, x.input, x.skills, x.priority, x.timeout, x.max_attempts, x.context_id,
           x.labels);
}

/// The states of the A2A protocol. The last four are terminal.
enum class task_state : std::uint8_t { submitted, working, completed, failed, canceled, rejected };
std::string to_string(task_state state);
bool is_terminal(task_state state);

/// A task as it stands.
struct task_record {
  task_id id;
  role_name role;
  task_state state{task_state::submitted};
  std::uint32_t attempts{0}; ///< that have been started
  agent_key agent;           ///< of the latest attempt; empty before the first
  millis queued{0};          ///< from the submit to the start of the latest attempt
  millis run{0};             ///< of the latest attempt, once it has ended
  json_text output;          ///< if completed
  failure error;             ///< if failed, canceled or rejected; else of the latest failed attempt

  bool operator==(const task_record&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, task_record& x) {
  return f(x.id, x.role, x.state, x.attempts, x.agent, x.queued, x.run, x.output, x.error);
}

// -- placement
// -------------------------------------------------------------------------------------

/// Asks the router for an agent.
struct placement_request {
  task_id task;
  std::uint32_t attempt{0};
  role_name role;
  std::vector<std::string> skills;
  std::uint8_t priority{0};
  std::uint64_t age{0};         ///< number of the submit; the lower is the older
  std::vector<agent_key> avoid; ///< tried before: used only if there is no other

  bool operator==(const placement_request&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, placement_request& x) {
  return f(x.task, x.attempt, x.role, x.skills, x.priority, x.age, x.avoid);
}

/// The router's answer: a slot of this agent is held for the attempt until it is reported finished.
struct placement {
  task_id task;
  std::uint32_t attempt{0};
  agent_record agent;

  bool operator==(const placement&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, placement& x) {
  return f(x.task, x.attempt, x.agent);
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
  std::uint32_t waiting{0};
  std::uint32_t running{0};
  std::uint32_t unmatched{0}; ///< of those waiting: no agent of the role has the skills they need

  bool operator==(const role_demand&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, role_demand& x) {
  return f(x.role, x.waiting, x.running, x.unmatched);
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

// -- attempts
// --------------------------------------------------------------------------------------

/// One try to run a task on one agent.
struct attempt_request {
  task_id task;
  std::uint32_t attempt{0}; ///< from 1
  agent_key agent;
  std::uint32_t max_concurrency{1}; ///< of the agent
  std::string service_url;
  role_name role;
  json_text input;
  std::string context_id;
  millis timeout{0};
  std::string traceparent; ///< W3C Trace Context: one trace a task, one span an attempt

  bool operator==(const attempt_request&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, attempt_request& x) {
  return f(x.task, x.attempt, x.agent, x.max_concurrency, x.service_url, x.role, x.input,
           x.context_id, x.timeout, x.traceparent);
}

/// What an attempt's end means for its task.
enum class verdict : std::uint8_t {
  completed, ///< the agent answered with an output
  failed,    ///< the task's own fault: it would fail elsewhere too
  retryable, ///< not the task's fault: another attempt may succeed
  busy,      ///< the pool did not start it: the agent is at its limit
  canceled,  ///< it was canceled
};
std::string to_string(verdict value);

/// How an attempt ended.
struct attempt_outcome {
  task_id task;
  std::uint32_t attempt{0};
  agent_key agent;
  rolecall::verdict verdict{};
  json_text output;       ///< if completed
  failure error;          ///< if not
  micros elapsed{0};      ///< from the request to the end of the answer
  millis park{0};         ///< how long the agent asks to be left alone (Retry-After)
  bool agent_gone{false}; ///< the answer, or its lack, says that the agent is not there any more

  bool operator==(const attempt_outcome&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, attempt_outcome& x) {
  return f(x.task, x.attempt, x.agent, x.verdict, x.output, x.error, x.elapsed, x.park,
           x.agent_gone);
}

} // namespace rolecall
