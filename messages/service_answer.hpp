#pragma once

#include "messages/values.hpp"

namespace rolecall {

/// What the manager asks an agents service.
enum class service_question : std::uint8_t {
  health, ///< GET /health
  roles,  ///< GET /roles
  agents, ///< GET /agents
  spawn,  ///< POST /agents
  retire, ///< DELETE /agents/{id}
};
std::string to_string(service_question question);

/// What came of a question: parsed and checked, or the reason why there is no answer.
struct service_answer {
  service_name service;
  service_question question{};
  std::uint64_t round{0}; ///< of the checks in which it was asked; what it says may be older than
                          ///< what has been learnt since
  role_name role;         ///< with `spawn`: the role asked for
  agent_id agent;         ///< with `retire`: the agent
  std::uint64_t order{0}; ///< with `spawn`: whose it is, if somebody asked for it; else 0
  bool ok{false};
  failure error;                    ///< if not ok; if ok, what of a list was left out, and why
  bool final{false};                ///< if not ok: asking again would not help
  millis retry_after{0};            ///< if not ok: how long the service asks to be left alone
  std::vector<role_offer> roles;    ///< with `roles`
  std::vector<agent_record> agents; ///< with `agents` all, with `spawn` the one
  /// With `agents`: a hash of what the service said. Of a question: of what need not be read again;
  /// 0: all is read.
  std::uint64_t content{0};
  bool unchanged{false}; ///< it said that again: `agents` is empty

  bool operator==(const service_answer&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, service_answer& x) {
  return f(x.service, x.question, x.round, x.role, x.agent, x.order, x.ok, x.error, x.final,
           x.retry_after, x.roles, x.agents, x.content, x.unchanged);
}

} // namespace rolecall
