// What the manager's core makes of agents whose health checks fail.
#include "actors/manager/fleet.hpp"

namespace rolecall {

fleet::effects fleet::on_health(const health_report& report, time_point time) {
  effects out;
  auto now = advance(time);
  auto found = agents_.find(report.agent);
  if (found == agents_.end())
    return out;
  auto& a = found->second;
  auto& r = role_of(a.record.role);
  if (!report.healthy && a.record.state == agent_state::ready) {
    a.unhealthy_since = now;
    a.record.problem = report.error;
    set_state(a, agent_state::unhealthy, out);
    scale(r, out);
  } else if (report.healthy && a.record.state == agent_state::unhealthy) {
    set_state(a, agent_state::ready, out);
    scale(r, out);
  }
  return out;
}

failure fleet::trouble_of_unhealthy(const role& r) const {
  const auto& key = *r.unhealthy.begin();
  const auto& problem = agents_.at(key).record.problem;
  return {problem.kind, std::to_string(r.unhealthy.size()) +
                            " of its agents fail their health checks, such as " + to_string(key) +
                            ": " + problem.message};
}

/// An agent that stays unhealthy takes the place of another one: it is drained for good, unless its
/// role could not have another, as far as is known.
void fleet::retire_unhealthy(role& r, effects& out) {
  if (retiring_ || r.unhealthy.empty() || !offer_of(r.name))
    return;
  const auto* s = service_of(r.name);
  auto spawns_fail = r.failures > 0 && (r.spawning > 0 || *now_ < r.spawn_not_before);
  if (!s || !s->reachable || spawns_fail)
    return;
  auto all = r.unhealthy; // those that drain leave it
  for (const auto& key : all) {
    auto& a = agents_.at(key);
    if (*now_ - *a.unhealthy_since < r.policy.retire_unhealthy_after)
      continue;
    a.unwanted = true;
    set_state(a, agent_state::draining, out);
  }
}

} // namespace rolecall
