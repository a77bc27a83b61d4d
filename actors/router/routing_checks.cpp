// Health checks as the routing table sees them: who may be checked, and what came of it.
#include "actors/router/routing_table.hpp"

namespace rolecall {

bool routing_table::begin_check(const agent_key& key, time_point now) {
  follow_clock(now);
  auto* a = find(key);
  if (!a || a->checking || a->record.state == agent_state::draining || a->suspect ||
      a->parked_until > now || !a->free_slot(now) || a->gate.closed_until(now))
    return false;
  a->checking = true;
  a->gate.started(now);
  role_of(a->record.role).pool.refresh(*a, now);
  return true;
}

void routing_table::checked(const health_report& report, time_point now) {
  follow_clock(now);
  if (report.result != check_result::none) {
    auto& counts = checks_.try_emplace(report.role, check_counts{report.role}).first->second;
    ++(report.result == check_result::passed ? counts.passed : counts.failed);
  }
  auto* a = find(report.agent);
  if (!a || !a->checking)
    return;
  auto& role = role_of(a->record.role);
  a->checking = false;
  a->gate.ended();
  a->next_check = now + report.next;
  if (report.result == check_result::passed) {
    ++a->checks_passed;
    a->check_error = {};
    if (report.healthy)
      a->health.check_passed(now);
  } else if (report.result == check_result::failed) {
    ++a->checks_failed;
    a->check_error = report.error;
  }
  if (!report.healthy && a->record.state == agent_state::ready) {
    // The registry says so in a moment; what waits must not be given the slot until then.
    auto record = a->record;
    record.state = agent_state::unhealthy;
    record.problem = report.error;
    role.pool.put(record);
  }
  if (report.overloaded)
    role.park(*a, report.park, now);
  if (report.agent_gone)
    suspect(*a, report.error.kind, now);
  role.pool.refresh(*a, now);
  changed_.insert(a->record.role);
}

} // namespace rolecall
