#include "actors/health/health_checks.hpp"

#include "actors/coordinator/trace_context.hpp"

#include <algorithm>

namespace rolecall {

namespace {

constexpr double jitter = 0.1;                 // of the interval
constexpr std::size_t longest_message = 1'024; // of an error: everybody who knows the agent has it

/// What an outcome says of the agent. The input is one that the role's agents can do: a failure
/// that would be a task's own fault is the agent's here.
check_result result_of(const attempt_outcome& outcome) {
  switch (outcome.verdict) {
  case verdict::completed: return check_result::passed;
  case verdict::failed: return check_result::failed;
  case verdict::busy:
  case verdict::canceled: return check_result::none;
  case verdict::retryable: break;
  }
  auto ours = outcome.error.kind == ec::worker_lost || outcome.error.kind == ec::queue_full;
  return says_overloaded(outcome) || ours ? check_result::none : check_result::failed;
}

failure shortened(failure error) {
  for (auto* text : {&error.code, &error.message})
    if (text->size() > longest_message)
      *text = text->substr(0, longest_message) + "...";
  return error;
}

} // namespace

std::size_t health_checks::checked_role::bound(const health_options& options) const {
  return std::clamp<std::size_t>(agents / 4, 1, options.max_in_flight);
}

void health_checks::reset(const agent_snapshot& snapshot, time_point now) {
  change(agents_told_.on_snapshot(snapshot), now);
}

bool health_checks::apply(const agent_event& event, time_point now) {
  auto what = agents_told_.on_event(event);
  change(what, now);
  return !what.gap;
}

void health_checks::change(const agent_follower::changes& what, time_point now) {
  for (const auto& key : what.remove)
    remove(key);
  for (const auto& record : what.put)
    insert(record, now);
}

std::vector<agent_key> health_checks::due(time_point now) {
  std::vector<agent_key> result;
  for (auto& [name, role] : roles_)
    while (!role.waiting.empty() && role.waiting.begin()->first <= now &&
           role.in_flight < role.bound(options_)) {
      auto key = role.waiting.extract(role.waiting.begin()).value().second;
      agents_.at(key).at = step::asked;
      ++role.in_flight;
      result.push_back(std::move(key));
    }
  return result;
}

std::optional<attempt_request> health_checks::begin(const agent_key& key) {
  auto found = agents_.find(key);
  if (found == agents_.end() || found->second.at != step::asked)
    return std::nullopt;
  auto& a = found->second;
  const auto& check = roles_.at(a.record.role).check;
  a.at = step::runs;
  a.call = task_id{"health-check-" + hex(chance_())};
  attempt_request result;
  result.task = a.call;
  result.attempt = 1;
  result.agent = key;
  result.max_concurrency = a.record.max_concurrency;
  result.service_url = a.record.service_url;
  result.role = a.record.role;
  result.input = check.input;
  result.timeout = check.timeout;
  result.traceparent = make_traceparent(hex(chance_()) + hex(chance_()), hex(chance_() | 1));
  result.health_check = true;
  return result;
}

void health_checks::skip(const agent_key& key, time_point now) {
  auto found = agents_.find(key);
  if (found == agents_.end() || found->second.at != step::asked)
    return;
  auto& role = roles_.at(found->second.record.role);
  --role.in_flight;
  wait(found->second, now + interval_of(role.check));
}

health_report health_checks::ended(const attempt_outcome& outcome, time_point now) {
  health_report report;
  report.agent = outcome.agent;
  report.result = check_result::none;
  auto found = agents_.find(outcome.agent);
  if (found == agents_.end() || found->second.call != outcome.task)
    return report;
  auto& a = found->second;
  auto& role = roles_.at(a.record.role);
  --role.in_flight;
  report.role = a.record.role;
  report.result = result_of(outcome);
  report.error = shortened(outcome.error);
  report.park = outcome.park;
  report.overloaded = outcome.verdict == verdict::retryable && says_overloaded(outcome);
  report.agent_gone = outcome.agent_gone;
  if (report.result != check_result::none)
    learn(a, report.result);
  report.healthy = a.healthy;
  report.next = interval_of(role.check);
  wait(a, now + report.next);
  return report;
}

/// So many in a row against what it is taken for, and it is taken for the other.
void health_checks::learn(checked_agent& a, check_result result) {
  const auto& check = roles_.at(a.record.role).check;
  auto passed = result == check_result::passed;
  a.in_a_row = passed == a.healthy ? 0 : a.in_a_row + 1;
  if (a.in_a_row < (a.healthy ? check.unhealthy_threshold : check.healthy_threshold))
    return;
  a.healthy = passed;
  a.in_a_row = 0;
}

std::optional<health_checks::time_point> health_checks::next_due() const {
  std::optional<time_point> result;
  for (const auto& [name, role] : roles_)
    if (!role.waiting.empty() && role.in_flight < role.bound(options_) &&
        (!result || role.waiting.begin()->first < *result))
      result = role.waiting.begin()->first;
  return result;
}

void health_checks::insert(const agent_record& record, time_point now) {
  if (record.key.node != options_.node)
    return;
  auto known = agents_.find(record.key);
  auto is_checked = options_.roles.contains(record.role) && record.state != agent_state::draining;
  if (known != agents_.end() && is_checked && known->second.record.role == record.role) {
    known->second.record = record;
    return;
  }
  remove(record.key);
  if (!is_checked)
    return;
  auto& role = roles_.try_emplace(record.role).first->second;
  role.check = options_.roles.at(record.role);
  ++role.agents;
  auto& a = agents_[record.key];
  a.record = record;
  a.healthy = record.state != agent_state::unhealthy;
  auto most = std::min(options_.first_within, role.check.interval).count();
  wait(a, now + millis{std::uniform_int_distribution<millis::rep>{0, most}(chance_)});
}

void health_checks::remove(const agent_key& key) {
  auto found = agents_.find(key);
  if (found == agents_.end())
    return;
  auto& a = found->second;
  auto role = roles_.find(a.record.role);
  if (a.at == step::waits)
    role->second.waiting.erase({a.next, key});
  else
    --role->second.in_flight;
  if (a.at == step::runs)
    canceled_.push_back(a.call);
  if (--role->second.agents == 0)
    roles_.erase(role);
  agents_.erase(found);
}

void health_checks::wait(checked_agent& a, time_point next) {
  a.at = step::waits;
  a.next = next;
  a.call = {};
  roles_.at(a.record.role).waiting.insert({next, a.record.key});
}

millis health_checks::interval_of(const health_check& check) {
  auto factor = std::uniform_real_distribution<double>{1 - jitter, 1 + jitter}(chance_);
  return millis{static_cast<millis::rep>(static_cast<double>(check.interval.count()) * factor)};
}

} // namespace rolecall
