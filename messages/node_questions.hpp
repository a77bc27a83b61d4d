#pragma once

#include "messages/agents.hpp"
#include "messages/tasks.hpp"

#include <variant>

/// What nodes of a cluster ask each other.
namespace rolecall {

struct describe_tasks {
  std::vector<task_id> tasks;
  bool operator==(const describe_tasks&) const = default;
};
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, describe_tasks& x) {
  return f(x.tasks);
}

struct cancel_tasks {
  std::vector<task_id> tasks; ///< these, or if there are none
  task_query query;           ///< those that are asked for here
  bool operator==(const cancel_tasks&) const = default;
};
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, cancel_tasks& x) {
  return f(x.tasks, x.query);
}

struct retry_task {
  task_id task;
  task_id fresh;
  bool operator==(const retry_task&) const = default;
};
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, retry_task& x) {
  return f(x.task, x.fresh);
}

struct explain_task {
  task_id task;
  bool operator==(const explain_task&) const = default;
};
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, explain_task& x) {
  return f(x.task);
}

struct drain_agent {
  agent_key agent;
  bool operator==(const drain_agent&) const = default;
};
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, drain_agent& x) {
  return f(x.agent);
}

struct spawn_agent {
  role_name role;
  bool operator==(const spawn_agent&) const = default;
};
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, spawn_agent& x) {
  return f(x.role);
}

/// The manager's word on its roles.
struct fleet_wanted {
  bool operator==(const fleet_wanted&) const = default;
};
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, fleet_wanted&) {
  return f();
}

/// What a node asks another. New ones go to the end.
using node_question = std::variant<describe_tasks, task_query, cancel_tasks, retry_task,
                                   explain_task, drain_agent, spawn_agent, fleet_wanted>;

/// The word of a task's own node on why it waits.
struct wait_answer {
  wait_explanation why;
  fleet_status fleet; ///< of that node
  bool operator==(const wait_answer&) const = default;
};
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, wait_answer& x) {
  return f(x.why, x.fleet);
}

/// What comes back: in this order, for a failure; tasks in full; a page; a count of canceled ones;
/// a wait; an agent; a fleet.
using node_reply = std::variant<failure, std::vector<task_detail>, task_page, cancel_count,
                                wait_answer, agent_record, fleet_status>;

struct numbered_question {
  std::uint64_t id{0};
  node_question question;
  bool operator==(const numbered_question&) const = default;
};

struct numbered_reply {
  std::uint64_t id{0}; ///< of the question
  node_reply reply;
  bool operator==(const numbered_reply&) const = default;
};

} // namespace rolecall
