#pragma once

#include "messages/attempts.hpp"
#include "messages/placements.hpp"

/// What is said of tasks.
namespace rolecall {

/// What becomes of a task if one that it depends on does not complete.
enum class dependency_policy : std::uint8_t {
  fail, ///< it fails too, or is canceled if that one was
  run,  ///< it runs all the same, with the outputs that there are
};

/// When a task is tried again. What is unset is the role's, or else the configuration's.
struct retry_policy {
  millis backoff{-1};     ///< bound of the first wait, doubled by each further one; -1: unset
  millis max_backoff{-1}; ///< bound of them all; -1: unset
  std::vector<std::string> codes; ///< of errors: exactly these are tried again; empty: unset

  bool operator==(const retry_policy&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, retry_policy& x) {
  return f(x.backoff, x.max_backoff, x.codes);
}

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
  std::string traceparent; ///< W3C Trace Context of whoever submitted it; may be empty
  task_id retry_of;        ///< the task that this one does again; may be empty
  millis deadline{0};      ///< for the task as a whole, from its submit; 0: none
  retry_policy retry{};
  std::vector<task_id> depends_on{}; ///< it starts once all of these have completed
  dependency_policy on_dependency_failure{};
  bool idempotent{false}; ///< may be carried out twice at the same time: it can be hedged

  bool operator==(const task_spec&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, task_spec& x) {
  return f(x.id, x.role, x.input, x.skills, x.priority, x.timeout, x.max_attempts, x.context_id,
           x.labels, x.traceparent, x.retry_of, x.deadline, x.retry, x.depends_on,
           x.on_dependency_failure, x.idempotent);
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
  std::uint64_t number{0};   ///< of its submit, from 1
  std::uint8_t priority{0};
  std::map<std::string, std::string> labels;
  std::string context_id;
  task_id retry_of;
  unix_time submitted_at{0};
  unix_time started_at{0};  ///< of the latest attempt
  unix_time finished_at{0}; ///< when it became terminal
  std::string traceparent;  ///< W3C Trace Context: the task's trace, and its own span
  std::string parent_span;  ///< of whoever submitted it, 16 hex digits; may be empty
  unix_time deadline_at{0};
  task_id retried_as{}; ///< the latest task that does this one again; may be empty
  node_name home{};     ///< the node that has it; empty: the one that is asked

  bool operator==(const task_record&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, task_record& x) {
  return f(x.id, x.role, x.state, x.attempts, x.agent, x.queued, x.run, x.output, x.error, x.number,
           x.priority, x.labels, x.context_id, x.retry_of, x.submitted_at, x.started_at,
           x.finished_at, x.traceparent, x.parent_span, x.deadline_at, x.retried_as, x.home);
}

/// A task with everything that is known of it.
struct task_detail {
  shared<task_record> record;
  shared<task_spec> spec;              ///< as it was submitted
  millis timeout{0};                   ///< for an attempt, in force
  std::uint32_t max_attempts{0};       ///< likewise
  std::vector<attempt_record> history; ///< the latest of its attempts
  shared<candidate_list> candidates;   ///< among which the agent of the latest one was chosen
  millis retry_in{0};                ///< until its next attempt is asked for, if it waits for that
  std::uint32_t blockers{0};         ///< tasks that it depends on and that have not ended
  std::vector<task_id> blocked_by{}; ///< some of them

  bool operator==(const task_detail&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, task_detail& x) {
  return f(x.record, x.spec, x.timeout, x.max_attempts, x.history, x.candidates, x.retry_in,
           x.blockers, x.blocked_by);
}

/// A change of a task. Numbers grow with each event of a coordinator, over its restarts too.
struct task_event {
  std::uint64_t number{0}; ///< 0: not a change, but how the task stands at the subscription
  unix_time at{0};
  shared<task_record> task;
  std::vector<attempt_record> ended; ///< the attempt that ended with this change, if one did
  bool replayed{false};              ///< told again, for whoever was not there
  bool hedge{false}; ///< the change is that a second attempt has started beside one that runs

  bool operator==(const task_event&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, task_event& x) {
  return f(x.number, x.at, x.task, x.ended, x.replayed, x.hedge);
}

/// What became of a submit.
struct submit_result {
  std::vector<task_id> known; ///< those of its tasks that were there already

  bool operator==(const submit_result&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, submit_result& x) {
  return f(x.known);
}

/// The bit of a state in a set of states.
constexpr std::uint32_t bit_of(task_state state) {
  return 1u << static_cast<unsigned>(state);
}

/// Which tasks somebody wants to see. What is empty or zero does not restrict.
struct task_query {
  role_name role;
  std::uint32_t states{0}; ///< any of them, as the sum of their bits
  /// All of them; a label without a text must be there, whatever its text.
  std::vector<std::pair<std::string, std::string>> labels;
  std::string context_id;
  std::uint64_t before{0}; ///< only those with a smaller number: where the last page ended
  std::uint32_t limit{100};
  /// In a cluster: `before` of each node. Those that are not named start at their newest.
  std::map<node_name, std::uint64_t> positions{};

  bool operator==(const task_query&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, task_query& x) {
  return f(x.role, x.states, x.labels, x.context_id, x.before, x.limit, x.positions);
}

/// Whether a task is one of those that a query asks for, whatever its number.
bool matches(const task_query& query, const task_record& task);

/// Some of the tasks that a query asks for, the newest first.
struct task_page {
  std::vector<task_record> tasks; ///< without their outputs
  std::uint64_t next{0};          ///< `before` of the next page; 0: this was the last one
  /// In a cluster: `positions` of the next page, 1 for nodes without more; none: as `next`.
  std::map<node_name, std::uint64_t> positions{};
  /// Nodes that could not be asked for theirs, by name, or by address if the name is not known.
  std::vector<std::string> unreachable{};

  bool operator==(const task_page&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, task_page& x) {
  return f(x.tasks, x.next, x.positions, x.unreachable);
}

/// How many tasks were canceled at once.
struct cancel_count {
  std::uint64_t canceled{0};
  std::vector<std::string> unreachable{}; ///< nodes that could not be told, as in `task_page`

  bool operator==(const cancel_count&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, cancel_count& x) {
  return f(x.canceled, x.unreachable);
}

} // namespace rolecall
