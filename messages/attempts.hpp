#pragma once

#include "messages/basics.hpp"

/// What is said of one try to run a task on one agent.
namespace rolecall {

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

/// An attempt as its task remembers it.
struct attempt_record {
  std::uint32_t attempt{0};
  agent_key agent;
  unix_time started_at{0};
  bool ended{false};
  rolecall::verdict verdict{}; ///< once it has ended, as are the next two
  millis run{0};
  failure error;       ///< if it did not complete
  std::string span_id; ///< W3C Trace Context, 16 hex digits

  bool operator==(const attempt_record&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, attempt_record& x) {
  return f(x.attempt, x.agent, x.started_at, x.ended, x.verdict, x.run, x.error, x.span_id);
}

} // namespace rolecall
