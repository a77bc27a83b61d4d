#include "actors/router/routed_role.hpp"

#include <cmath>

namespace rolecall {

namespace {

constexpr double hot_quantile = 0.84; // 2^-0.25, of Prequal (NSDI '24)
constexpr double bounded_load = 1.25; // of consistent hashing with bounded loads (Mirrokni 2018)
constexpr double stalled_after = 4;   // times what an attempt takes
constexpr double least_stall_us = 100'000;
constexpr std::uint32_t few_samples = 4;
constexpr std::size_t max_held = 1'024;
constexpr double reserve_factor = 1.1;
constexpr int max_skill_sets_looked_at = 16;

template <class Limits, class Key>
start_limit limit_in(const Limits& limits, const Key& key) {
  auto found = limits.find(key);
  return found == limits.end() ? start_limit{} : found->second;
}

bool avoids(const placement_request& request, const agent_key& key) {
  return std::find(request.avoid.begin(), request.avoid.end(), key) != request.avoid.end();
}

std::uint8_t load_of(const routed_agent& a, routed_agent::time_point now) {
  auto limit = std::max(1u, a.limit(now));
  return static_cast<std::uint8_t>(std::min<std::uint64_t>(64, a.in_flight * 64ull / limit));
}

} // namespace

routed_role::routed_role(const role_name& name, std::shared_ptr<const router_options> options)
    : pool{[this](const routed_agent& a, time_point now) {
        return policy_->stand(a, pool.mean_limit(), now);
      }},
      line{options->fairness},
      latency{options->latency_tau},
      gate{limit_in(options->role_limits, name)},
      options_{std::move(options)},
      policy_{make_policy(options_->policy_of(name), options_->weights)} {}

routed_role::choice routed_role::choose(const placement_request& request, std::mt19937_64& chance,
                                        time_point now) {
  choice result;
  if (pool.free() == 0)
    return result;
  const auto& groups = pool.with(request.skills);
  std::size_t free = 0;
  std::size_t usable = 0;
  for (const auto* group : groups) {
    free += group->free.size();
    usable += group->usable;
  }
  if (free == 0)
    return result;
  // One that it was tried on before is good enough only if there is no other, not even a busy one.
  std::size_t usable_avoided = 0;
  for (const auto& key : request.avoid)
    if (const auto* a = pool.find(key); a && a->usable(now) && a->has(request.skills))
      ++usable_avoided;
  auto strict = request.hedge || usable > usable_avoided;
  auto& options = result.options;
  auto look_at = [&](routed_agent* a) {
    auto known = [&](const choice_option& option) { return option.agent == a; };
    if ((strict && avoids(request, a->record.key)) ||
        std::any_of(options.begin(), options.end(), known))
      return;
    options.push_back({a, {}});
  };
  auto look_at_first = [&](std::size_t count) {
    auto each = std::max<std::size_t>(1, count / groups.size());
    for (const auto* group : groups) {
      auto left = each;
      for (auto a = group->order.begin(); left > 0 && a != group->order.end(); ++a) {
        auto before = options.size();
        look_at(*a);
        left -= options.size() > before ? 1 : 0; // no more are passed over than are avoided
      }
    }
  };
  auto [first, drawn] = policy_->to_look_at();
  if (first > 0)
    look_at_first(first);
  for (std::size_t i = 0; i < drawn; ++i) {
    auto lot = std::uniform_int_distribution<std::size_t>{0, free - 1}(chance);
    auto group = groups.begin();
    for (; lot >= (*group)->free.size(); ++group)
      lot -= (*group)->free.size();
    look_at((*group)->free[lot]);
    note_load(*(*group)->free[lot], now);
  }
  if (options.empty())
    look_at_first(1); // all that were drawn are to be avoided
  if (options.empty())
    return result;
  if (policy_->scores()) {
    const auto* home = home_of(request, now);
    if (home && home->free_at != routed_agent::none)
      look_at(pool.find(home->record.key));
    for (auto& option : options)
      option.terms = score(request, *option.agent, home, now);
  }
  std::stable_sort(options.begin(), options.end(),
                   [&](const auto& a, const auto& b) { return policy_->better(a, b); });
  if (!request.hedge && policy_->scores() && options_->patience > 0)
    result.wait_until = worth_waiting_until(request, options.front(), groups, now);
  if (!result.wait_until)
    result.agent = options.front().agent;
  return result;
}

score_terms routed_role::score(const placement_request& request, const routed_agent& a,
                               const routed_agent* home, time_point now) const {
  const auto& weights = options_->weights;
  score_terms terms;
  auto expected = expected_factor(a, pool.mean_limit(), now);
  auto class_ms = latency.class_mean(request.task_class) / 1'000;
  terms.expected_ms = class_ms * expected;
  terms.success = a.health.success(now);
  for (const auto& skill : request.skills)
    if (auto found = a.record.skills.find(skill); found != a.record.skills.end())
      terms.skill *= found->second;
  if (request.skills.size() > 1)
    terms.skill = std::pow(terms.skill, 1.0 / static_cast<double>(request.skills.size()));
  terms.affinity = home == &a ? 1 : 0;
  terms.hot = is_hot(a, now);
  terms.score = (class_ms > 0 ? class_ms : 1) * expected *
                failure_factor(terms.success, weights.success) *
                std::pow(std::max(terms.skill, 0.01), -weights.skill) *
                (1 - weights.affinity * terms.affinity);
  // An agent that knows more than is asked for is left to those who ask for it, if there is another
  // that is about as good.
  if (a.record.skills.size() > request.skills.size() && is_wanted_elsewhere(request, a))
    terms.score *= reserve_factor;
  return terms;
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
  return pool.home_of(request.context_id, [&](const routed_agent& a) {
    return a.usable(now) && a.free_slot(now) && a.in_flight < most && a.has(request.skills) &&
           !avoids(request, a.record.key);
  });
}

bool routed_role::is_hot(const routed_agent& a, time_point now) const {
  if (a.limit(now) <= 1 || a.in_flight == 0)
    return false;
  auto silent_us = std::chrono::duration<double, std::micro>(now - a.progress_at).count();
  auto attempt_us = latency.mean() * std::exp(a.speed.log_factor);
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

/// Until when the head of the line had better wait for an agent that is busy, though one is free.
/// If the line goes to the better agents alone, its last one is done after
/// `waiting · mean / surplus of the better + class mean · their cost`: the threshold rule for slow
/// servers (Larsen and Agrawala 1983, Lin and Kumar 1984).
std::optional<routed_role::time_point>
routed_role::worth_waiting_until(const placement_request& request, const choice_option& best,
                                 const agent_pool::groups& groups, time_point now) {
  auto work = latency.class_mean(request.task_class);
  const auto& a = *best.agent;
  if (!request.avoid.empty()) // the better ones may be those that it was tried on
    return std::nullopt;
  if (work <= 0 || (a.speed.samples < few_samples && best.terms.success > 0.9))
    return std::nullopt;
  auto own = policy_->stand(a, 1, now).idle_cost;
  double rate = 0;
  std::uint64_t slots = 0;
  for (int bucket = 0; bucket < cost_buckets::of(own); ++bucket)
    for (const auto* group : groups)
      if (auto count = group->busy[static_cast<std::size_t>(bucket)]; count > 0) {
        slots += count;
        rate += count / cost_buckets::mean_of(bucket);
      }
  if (slots == 0)
    return std::nullopt;
  auto better = static_cast<double>(slots) / rate;
  // What comes in the meantime has to be done by them as well.
  auto surplus = rate - latency.served(now);
  if (surplus <= 0)
    return std::nullopt;
  auto wait = static_cast<double>(line.size()) * latency.mean() / surplus;
  if (wait + work * better >= work * own)
    return std::nullopt;
  auto gain = std::chrono::microseconds{
      static_cast<std::int64_t>(std::min(options_->patience * work * (own - better), 1e12))};
  if (held_.size() >= max_held && !held_.contains(request.task))
    return std::nullopt;
  auto& held = held_.try_emplace(request.task, hold{now, now}).first->second;
  held.since = std::min(held.since, now);
  held.until = held.since + gain;
  return held.until > now ? std::optional{held.until} : std::nullopt;
}

std::optional<routed_role::time_point> routed_role::held_until(const task_id& task) const {
  auto found = held_.find(task);
  return found == held_.end() ? std::nullopt : std::optional{found->second.until};
}

void routed_role::learn(routed_agent& a, const attempt_outcome& outcome,
                        const std::string& task_class, time_point now) {
  auto us = static_cast<double>(outcome.elapsed.count());
  auto overloaded = says_overloaded(outcome);
  switch (outcome.verdict) {
  case verdict::completed:
    a.latency_us = a.succeeded == 0 ? us : 0.8 * a.latency_us + 0.2 * us;
    ++a.succeeded;
    ++a.ended;
    a.health.succeeded(now);
    latency.learn(task_class, a.speed, us, now);
    a.adaptive.completed(us, a.in_flight);
    break;
  case verdict::failed: break; // the task's own fault tells nothing of the agent
  case verdict::canceled: latency.learn_at_least(task_class, a.speed, us, now); break;
  case verdict::retryable: {
    ++a.ended;
    if (overloaded || outcome.error.kind == ec::timeout)
      a.adaptive.refused(a.in_flight);
    if (overloaded)
      break; // it is parked for that
    latency.learn_at_least(task_class, a.speed, us, now);
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
  held_.clear();
  wake.reset();
  pool.refresh_all(now);
}

} // namespace rolecall
