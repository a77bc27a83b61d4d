#include "messages/values.hpp"

#include <algorithm>

namespace rolecall {

std::string to_string(agent_state state) {
  switch (state) {
  case agent_state::ready: return "ready";
  case agent_state::draining: return "draining";
  case agent_state::unhealthy: return "unhealthy";
  }
  return "unknown";
}

std::string to_string(task_state state) {
  switch (state) {
  case task_state::submitted: return "submitted";
  case task_state::working: return "working";
  case task_state::completed: return "completed";
  case task_state::failed: return "failed";
  case task_state::canceled: return "canceled";
  case task_state::rejected: return "rejected";
  }
  return "unknown";
}

bool is_terminal(task_state state) {
  return state != task_state::submitted && state != task_state::working;
}

std::string to_string(verdict value) {
  switch (value) {
  case verdict::completed: return "completed";
  case verdict::failed: return "failed";
  case verdict::retryable: return "retryable";
  case verdict::busy: return "busy";
  case verdict::canceled: return "canceled";
  }
  return "unknown";
}

bool says_overloaded(const attempt_outcome& outcome) {
  return outcome.error.kind == ec::agent_busy || outcome.park > millis{0};
}

std::string to_string(routing_policy policy) {
  switch (policy) {
  case routing_policy::adaptive: return "adaptive";
  case routing_policy::least_requests: return "least-requests";
  case routing_policy::p2c: return "p2c";
  case routing_policy::round_robin: return "round-robin";
  case routing_policy::random: return "random";
  }
  return "adaptive";
}

std::string to_string(wait_reason reason) {
  switch (reason) {
  case wait_reason::no_agent: return "no_agent";
  case wait_reason::at_limit: return "at_limit";
  case wait_reason::parked: return "parked";
  case wait_reason::lacks_skill: return "lacks_skill";
  case wait_reason::draining: return "draining";
  case wait_reason::suspect: return "suspect";
  case wait_reason::bounded: return "bounded";
  case wait_reason::ejected: return "ejected";
  case wait_reason::role_cap: return "role_cap";
  case wait_reason::key_cap: return "key_cap";
  case wait_reason::rate_limit: return "rate_limit";
  case wait_reason::better_soon: return "better_soon";
  case wait_reason::unhealthy: return "unhealthy";
  case wait_reason::fair_share: return "fair_share";
  }
  return "unknown";
}

bool matches(const task_query& query, const task_record& task) {
  auto has_label = [&](const auto& wanted) {
    auto found = task.labels.find(wanted.first);
    return found != task.labels.end() && (wanted.second.empty() || found->second == wanted.second);
  };
  return (query.role.empty() || query.role == task.role) &&
         (query.context_id.empty() || query.context_id == task.context_id) &&
         (query.states == 0 || (query.states & bit_of(task.state)) != 0) &&
         std::all_of(query.labels.begin(), query.labels.end(), has_label);
}

} // namespace rolecall
