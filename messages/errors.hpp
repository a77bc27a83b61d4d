#pragma once

#include <cstdint>
#include <string>

namespace rolecall {

/// Everything that can go wrong and has a name: in messages between actors, in reports, logs and
/// answers. The name of a value is its text in all of these.
enum class ec : std::uint8_t {
  invalid_task = 1,    ///< a task that cannot be admitted as it is
  duplicate_task,      ///< a task with this id is known already
  unknown_task,        ///< no task has this id
  unknown_role,        ///< no service offers the role and no agent has it
  unknown_skill,       ///< no agent of the role has, or could have, a skill that the task needs
  unknown_agent,       ///< no agent has this id; from a service: the agent is gone
  stale_revision,      ///< a record that is older than the one that is there
  queue_full,          ///< the bound on tasks that wait is reached
  no_agent,            ///< the role has no agent, and none could be had in time
  service_unreachable, ///< the agents service does not answer
  spawn_refused,       ///< the agents service refused to spawn an agent
  connect_failed,      ///< no connection to the agent's service
  tls_failed,          ///< the service's certificate was not accepted
  connection_lost,     ///< the connection ended before the whole answer was there
  timeout,             ///< the attempt took longer than it may
  http_status,         ///< the service answered with an HTTP status that means failure
  protocol_error,      ///< the answer is not the protocol's
  too_large,           ///< the answer is over the limit
  agent_busy,          ///< the agent is at its limit
  agent_failed,        ///< the agent did its work and says that the task failed
  worker_lost,         ///< the worker that ran the attempt ended
  canceled,            ///< somebody canceled the task
  shutting_down,       ///< the node ends
  task_not_retryable,  ///< only a task that failed, or was canceled or rejected, can be done again
  at_maximum,          ///< the role has as many agents as it may have
  unknown_dependency,  ///< a task depends on one that is not known
  dependency_cycle,    ///< tasks depend on each other in a circle
  dependency_failed,   ///< a task that this one depends on did not complete
  deadline_exceeded,   ///< the task as a whole took longer than it may
  node_stopped,        ///< the node that ran the attempt ended before the outcome
  storage_full,        ///< the journal cannot be written to
  node_unreachable,    ///< a node of the cluster that may have what is asked for cannot be asked
};

/// The value's name, for example "unknown_role".
std::string to_string(ec code);

/// Why something failed, as it is told to people and programs.
struct failure {
  ec kind{};
  std::string code;    ///< the name of `kind`; with `agent_failed` the code that the agent gave
  std::string message; ///< says what, where, and how to mend it; never a secret

  failure() = default;
  failure(ec kind, std::string message)
      : kind{kind}, code{to_string(kind)}, message{std::move(message)} {}

  bool operator==(const failure&) const = default;
};

} // namespace rolecall
