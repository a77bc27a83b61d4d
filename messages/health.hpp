#pragma once

#include "messages/basics.hpp"

/// What is said of health checks: real calls that show whether an agent does its work.
namespace rolecall {

/// How a health check ended.
enum class check_result : std::uint8_t {
  passed,
  failed, ///< for a reason that is the agent's
  none,   ///< it tells nothing: the agent has too much to do, or the check was ended early
};

/// What the checker knows of an agent after a check. With the result `none` everything else may be
/// missing: the agent is not checked any more.
struct health_report {
  agent_key agent;
  role_name role;
  check_result result{};
  bool healthy{true};     ///< by all its checks so far
  failure error;          ///< of this check; no code if it passed
  millis next{0};         ///< until the next check
  millis park{0};         ///< how long the agent asks to be left alone
  bool overloaded{false}; ///< it asks to be left alone, for `park` if it says how long
  bool agent_gone{false}; ///< the answer, or its lack, says that the agent is not there any more

  bool operator==(const health_report&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, health_report& x) {
  return f(x.agent, x.role, x.result, x.healthy, x.error, x.next, x.park, x.overloaded,
           x.agent_gone);
}

} // namespace rolecall
