#pragma once

#include "messages/basics.hpp"
#include "messages/shared.hpp"

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
  json_text dependencies; ///< task id → output of those that the task depends on; may be empty
  millis timeout{0};
  millis deadline{0};       ///< left to the task as a whole when the attempt was asked for; 0: none
  std::string traceparent;  ///< W3C Trace Context: one trace a task, one span an attempt
  bool health_check{false}; ///< there is no task: the agent is tried

  bool operator==(const attempt_request&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, attempt_request& x) {
  return f(x.task, x.attempt, x.agent, x.max_concurrency, x.service_url, x.role, x.input,
           x.context_id, x.dependencies, x.timeout, x.deadline, x.traceparent, x.health_check);
}

/// What can be checked of an exchange with an agent: so that anybody can see that an outcome came
/// from a real one.
struct receipt {
  std::string node;             ///< that made the request
  std::string url;              ///< that it went to
  std::uint32_t http_status{0}; ///< 0: there was no answer
  micros first_byte{0};         ///< from the request to the first byte of the answer; 0: none came
  std::uint64_t request_bytes{0}; ///< of the body
  std::uint64_t answer_bytes{0};  ///< of the body, as far as it came
  std::string request_sha256;     ///< of the body, 64 hex digits
  std::string answer_sha256;      ///< likewise; empty if there was no answer

  bool operator==(const receipt&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, receipt& x) {
  return f(x.node, x.url, x.http_status, x.first_byte, x.request_bytes, x.answer_bytes,
           x.request_sha256, x.answer_sha256);
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
  shared<rolecall::receipt> receipt{};

  bool operator==(const attempt_outcome&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, attempt_outcome& x) {
  return f(x.task, x.attempt, x.agent, x.verdict, x.output, x.error, x.elapsed, x.park,
           x.agent_gone, x.receipt);
}

/// Whether the agent has asked to be left alone for a while: it has too much to do, and is not
/// broken.
bool says_overloaded(const attempt_outcome& outcome);

/// An attempt as its task remembers it.
struct attempt_record {
  std::uint32_t attempt{0};
  agent_key agent;
  unix_time started_at{0};
  bool ended{false};
  rolecall::verdict verdict{}; ///< once it has ended, as are the next two
  millis run{0};
  failure error;                       ///< if it did not complete
  std::string span_id;                 ///< W3C Trace Context, 16 hex digits
  shared<rolecall::receipt> receipt{}; ///< once it has ended
  std::uint64_t started_event{0};      ///< number of the task's event that told of its start
  std::uint64_t ended_event{0};        ///< likewise of its end
  bool hedge{false};                   ///< ran beside another attempt, for the faster of the two

  bool operator==(const attempt_record&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, attempt_record& x) {
  return f(x.attempt, x.agent, x.started_at, x.ended, x.verdict, x.run, x.error, x.span_id,
           x.receipt, x.started_event, x.ended_event, x.hedge);
}

} // namespace rolecall
