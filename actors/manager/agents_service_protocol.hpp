#pragma once

#include "messages/service_answer.hpp"
#include "net/http.hpp"

/// The manager's side of the protocol that docs/agents-service.md describes, as pure functions.
namespace rolecall {

struct service_config {
  service_name name;
  std::string url;  ///< http://host:port, without a trailing slash
  node_name node{}; ///< whose manager asks it
};

struct question_options {
  millis check_timeout{5'000};  ///< for GET and DELETE
  millis spawn_timeout{60'000}; ///< for POST /agents: an agent may take its time to start
  /// The most attempts that an agent is tried with at the same time if its service names no limit.
  std::uint32_t max_adaptive_limit{64};
};

/// The request that asks `answer.question`; of `answer` only what is known before it is answered is
/// read: service, question, role, agent.
net::http_request to_request(const service_config& service, const service_answer& answer,
                             const question_options& options);

/// Fills in what a service has said. Everything that the protocol demands is checked; what it does
/// not know is ignored. Errors name service, request and problem.
service_answer to_answer(const service_config& service, service_answer answer,
                         const question_options& options, const net::http_result& result);

} // namespace rolecall
