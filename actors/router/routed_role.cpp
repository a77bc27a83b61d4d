#include "actors/router/routed_role.hpp"

#include <cmath>

namespace rolecall {

namespace {

constexpr double hot_quantile = 0.84; // 2^-0.25, of Prequal (NSDI '24)
constexpr double bounded_load = 1.25; // of consistent hashing with bounded loads (Mirrokni 2018)
constexpr double stalled_after = 4;   // times what an attempt takes
constexpr double least_stall_us = 100'000;
constexpr double reserve_factor = 1.1;
constexpr std::size_t max_skill_sets = 1'024; // whose work is counted
constexpr int max_skill_sets_looked_at = 16;

template <class Limits, class Key>
start_limit limit_in(const Limits& limits, const Key& key) {
  auto found = limits.find(key);
  return found == limits.end() ? start_limit{} : found->second;
}

std::uint8_t load_of(const routed_agent& a, routed_agent::time_point now) {
  auto limit = std::max(1u, a.limit(now));
  return static_cast<std::uint8_t>(std::min<std::uint64_t>(64, a.in_flight * 64ull / limit));
}

} // namespace

bool avoids(const placement_request& request, const agent_key& key) {
  return std::find(request.avoid.begin(), request.avoid.end(), key) != request.avoid.end();
}

routed_role::routed_role(const role_name& name, std::shared_ptr<const router_options> options)
    : pool{[this](const routed_agent& a, time_point now) {
        return policy_->stand(a, pool.mean_limit(), now);
      }},
      line{options->fairness},
      latency{options->latency_tau},
      room{options->fairness.headroom},
      gate{limit_in(options->role_limits, name)},
      options_{std::move(options)},
      policy_{make_policy(options_->policy_of(name), options_->weights)} {}

score_terms routed_role::score(const placement_request& request, const routed_agent& a,
                               const routed_agent* home, double class_us, time_point now) const {
  const auto& weights = options_->weights;
  score_terms terms;
  auto expected = expected_factor(a, pool.mean_limit(), now);
  auto class_ms = class_us / 1'000;
  auto lack = a.lack(request.skills);
  auto warmth = is_last_of(request.context_id, a) ? latency.warm_factor() : 1;
  auto lack_costs = latency.lack_factor(lack);
  expected *= lack_costs * warmth;
  terms.expected_ms = class_ms * expected;
  terms.success = a.health.success(now);
  terms.skill = lack == 0 ? 1 : std::exp(-lack);
  terms.affinity = home == &a ? 1 : 0;
  terms.hot = is_hot(a, now);
  terms.score =
      (class_ms > 0 ? class_ms : 1) * expected * failure_factor(terms.success, weights.success);
  // A weight is what a term counts at the least; where its effect on the times is larger, that.
  terms.score *= skill_factor(lack) / lack_costs;
  if (terms.affinity > 0)
    terms.score *= std::min(1.0, (1 - weights.affinity) / warmth);
  // An agent that knows more than is asked for is left to those who ask for it, if there is another
  // that is about as good.
  if (a.record.skills.size() > request.skills.size() && is_wanted_elsewhere(request, a))
    terms.score *= reserve_factor;
  return terms;
}

double routed_role::skill_factor(double lack) const {
  return lack == 0 ? 1
                   : std::max(latency.lack_factor(lack), std::exp(options_->weights.skill * lack));
}

attempt_kind routed_role::kind_of(const placement_request& request, const routed_agent& a) const {
  return {request.task_class, a.lack(request.skills), is_last_of(request.context_id, a)};
}

/// Whether the agent was the last that worked on the context.
bool routed_role::is_last_of(const std::string& context_id, const routed_agent& a) const {
  const auto* last = context_id.empty() ? nullptr : contexts.last(context_id);
  return last && *last == a.record.key;
}

/// Whether somebody waits for skills of the agent that this request does not need.
bool routed_role::is_wanted_elsewhere(const placement_request& request,
                                      const routed_agent& a) const {
  auto left = max_skill_sets_looked_at;
  for (auto set = line.skill_sets().rbegin(); set != line.skill_sets().rend() && left > 0;
       ++set, --left)
    if (set->first != request.skills && set->first.size() > request.skills.size() &&
        a.has(set->first))
      return true;
  return false;
}

const routed_agent* routed_role::home_of(const placement_request& request, time_point now) const {
  if (request.context_id.empty() || pool.empty())
    return nullptr;
  auto mean = static_cast<double>(pool.in_flight() + 1) / static_cast<double>(pool.agents().size());
  auto most = std::max(1.0, std::ceil(bounded_load * mean));
  if (const auto* last = contexts.last(request.context_id)) {
    auto known = pool.agents().find(*last);
    if (known != pool.agents().end())
      return known->second.free_slot(now) && known->second.has(request.skills) &&
                     !avoids(request, *last)
                 ? &known->second
                 : nullptr;
  }
  return pool.home_of(request.context_id, [&](const routed_agent& a) {
    return a.usable(now) && a.free_slot(now) && a.in_flight < most && a.has(request.skills) &&
           !avoids(request, a.record.key);
  });
}

bool routed_role::is_hot(const routed_agent& a, time_point now) const {
  if (a.limit(now) <= 1 || a.in_flight == 0)
    return false;
  auto silent_us = std::chrono::duration<double, std::micro>(now - a.progress_at).count();
  auto attempt_us = latency.mean() * a.speed.factor;
  if (attempt_us > 0 && silent_us > std::max(least_stall_us, stalled_after * attempt_us))
    return true; // it has had something to do for long, and has not finished anything
  if (a.in_flight >= 2 + 2 * a.succeeded)
    return true; // it has yet to show what it can do
  if (load_samples_ < loads_.size() / 4)
    return false;
  auto own = load_of(a, now);
  std::size_t below = 0;
  for (std::size_t load = 0; load < own; ++load)
    below += load_counts_[load];
  auto count = std::min(load_samples_, loads_.size());
  return static_cast<double>(below) > hot_quantile * static_cast<double>(count);
}

void routed_role::note_load(const routed_agent& a, time_point now) {
  auto& slot = loads_[load_samples_ % loads_.size()];
  if (load_samples_ >= loads_.size())
    --load_counts_[slot];
  slot = load_of(a, now);
  ++load_counts_[slot];
  ++load_samples_;
}

started_attempt routed_role::start(const placement_request& request, routed_agent& a) {
  auto kind = kind_of(request, a);
  a.expected_us = latency.expected(kind, a.speed);
  return {std::move(kind), request.context_id, request.skills};
}

void routed_role::bring_back(const agent_key& agent) {
  for (const auto& task : held.take_waiting_for(agent))
    line.bring_back(task);
}

void routed_role::bring_back_due(time_point now) {
  for (const auto& task : held.take_due(now))
    line.bring_back(task);
}

void routed_role::learn(routed_agent& a, const attempt_outcome& outcome,
                        const started_attempt& what, time_point now) {
  auto us = static_cast<double>(outcome.elapsed.count());
  auto overloaded = says_overloaded(outcome);
  switch (outcome.verdict) {
  case verdict::completed:
    if (auto mean = latency.mean(); mean > 0)
      useful.completed(latency.class_mean(what.kind.task_class) / mean, pool.total_slots());
    a.latency_us = a.succeeded == 0 ? us : 0.8 * a.latency_us + 0.2 * us;
    ++a.succeeded;
    ++a.ended;
    a.health.succeeded(now);
    latency.learn(what.kind, a.speed, us, now);
    if (served_.size() >= max_skill_sets && !served_.contains(what.skills))
      served_.clear();
    served_[what.skills].add(latency.class_mean(what.kind.task_class), now);
    if (!what.context.empty())
      contexts.note(what.context, a.record.key);
    a.adaptive.completed(us, a.in_flight);
    break;
  case verdict::failed: break; // the task's own fault tells nothing of the agent
  case verdict::canceled: latency.learn_at_least(what.kind, a.speed, us, now); break;
  case verdict::retryable: {
    ++a.ended;
    if (overloaded || outcome.error.kind == ec::timeout)
      a.adaptive.refused(a.in_flight);
    if (overloaded)
      break; // it is parked for that
    latency.learn_at_least(what.kind, a.speed, us, now);
    auto most = options_->ejection.max_share * static_cast<double>(pool.agents().size());
    auto may_eject = static_cast<double>(pool.ejected(now)) + 1 <= most;
    if (a.health.failed(options_->ejection, may_eject, now))
      pool.note_ejection(a.record.key);
    break;
  }
  case verdict::busy: break;
  }
  if (!outcome.error.code.empty() && outcome.verdict != verdict::canceled) {
    a.last_error = outcome.error;
    a.last_error_at = now;
  }
  if (overloaded)
    park(a, outcome.park, now);
}

void routed_role::park(routed_agent& a, millis asked, time_point now) const {
  auto time = asked > millis{0} ? asked : options_->default_park;
  a.parked_until = std::max(a.parked_until, now + std::min(time, options_->max_park));
}

headroom::situation routed_role::situation_of(std::uint8_t priority,
                                              const std::string& fairness_key) const {
  auto slots = pool.total_slots();
  if (pool.all_declared()) { // else the router has found limits up to which they are of use
    auto agents = std::max<std::uint64_t>(1, pool.usable());
    auto limit = static_cast<std::uint32_t>((slots + agents - 1) / agents);
    auto anyway = 2 * room.most_used(priority) / static_cast<double>(agents);
    slots = std::min(slots, agents * useful.of(limit, anyway));
  }
  if (auto most = gate.limit().max_parallel; most != 0)
    slots = std::min<std::uint64_t>(slots, most);
  if (options_->max_parallel != 0)
    slots = std::min<std::uint64_t>(slots, options_->max_parallel);
  slots -= std::min<std::uint64_t>(slots, admitted);
  auto waiting = line.waiting_of(priority, fairness_key);
  if (newcomer && newcomer->priority == priority && newcomer->fairness_key == fairness_key)
    ++waiting;
  return {options_->fairness.weight_of(fairness_key), waiting, static_cast<double>(slots)};
}

void routed_role::clock_went_back(time_point before, time_point now) {
  for (auto& [key, a] : pool.agents()) {
    a.parked_until = now + std::max(a.parked_until - before, time_point::duration{0});
    a.idle_since = std::min(a.idle_since, now);
    a.progress_at = std::min(a.progress_at, now);
    a.last_error_at = std::min(a.last_error_at, now);
    a.next_check = now + std::max(a.next_check - before, time_point::duration{0});
    a.speed.at = std::min(a.speed.at, now);
    a.health.clock_went_back(before, now);
    a.gate.no_later_than(now);
  }
  gate.no_later_than(now);
  room.clock_went_back(now);
  bring_back_due(time_point::max());
  held.clear();
  wake.reset();
  pool.refresh_all(now);
}

} // namespace rolecall
