// How the manager's core gets each role the agents that it should have.
#include "actors/manager/fair_division.hpp"
#include "actors/manager/fleet.hpp"

#include <algorithm>
#include <cmath>

namespace rolecall {

std::uint32_t fleet::role::surplus() const {
  auto most = kept();
  auto there = static_cast<std::uint32_t>(ready.size());
  return there > most ? there - most : 0;
}

std::uint32_t fleet::role::expected(time_point now) const {
  auto late = scaler.late_spawns(now);
  return static_cast<std::uint32_t>(ready.size()) + (spawning > late ? spawning - late : 0);
}

/// Asks for what is missing. What is not asked for yet (too many at a time, too fast, too soon
/// after a failure) is not remembered: the next look, a tick later at the most, finds what is
/// missing then.
void fleet::scale(role& r, effects& out) {
  if (retiring_)
    return;
  r.shortage = {};
  auto slots = slots_of(r);
  r.scaler.on_demand(r.demand, slots, static_cast<std::uint32_t>(r.ready.size()), *now_);
  divide(r);
  auto wanted = std::min(r.scaler.needed(), r.share);
  while (r.expected(*now_) < wanted && undrain(r, out))
    continue;
  auto missing = wanted - std::min(wanted, r.expected(*now_));
  // Those that are there cannot help who needs a skill that they lack.
  auto lacking = static_cast<std::uint32_t>(std::ceil(r.demand.unmatched / slots));
  missing = std::max(missing, lacking > r.spawning ? lacking - r.spawning : 0);
  auto present = r.count() + r.spawning;
  missing = std::min(missing, r.policy.max_agents > present ? r.policy.max_agents - present : 0);
  if (r.share < r.scaler.needed())
    r.shortage = {ec::at_maximum, "all roles together may have " +
                                      std::to_string(options_.max_agents) +
                                      " agents (scaling.max_agents), and its share of them is " +
                                      std::to_string(r.share)};
  if (missing == 0)
    return;
  auto* s = service_of(r.name);
  if (s && s->reachable)
    return grow(r, *s, missing, out);
  if (r.demand.waiting == 0 || r.has_agents())
    return;
  for (const auto& [other_name, other] : services_)
    if (!other.reachable && other.checked && (!s || s == &other))
      note_trouble(r, {other.problem_kind, other.problem});
  if (!s && directory().complete)
    note_trouble(r, {ec::no_agent, "the nodes that offer the role \"" + r.name.str() +
                                       "\" are away, and no service of this one does"});
}

void fleet::grow(role& r, service& s, std::uint32_t missing, effects& out) {
  auto by_load = r.expected(*now_) < r.scaler.needed();
  for (; missing > 0 && *now_ >= r.spawn_not_before; --missing) {
    // A role alone may take half of what a service is asked for at a time; the more others take,
    // the less: one whose spawns hang leaves room for the others (Choudhury and Hahne, "Dynamic
    // queue length thresholds", 1998).
    if (r.spawning >=
        options_.max_spawns_in_flight - std::min(s.spawning, options_.max_spawns_in_flight)) {
      r.shortage = {ec::no_agent, "its service has " + std::to_string(s.spawning) +
                                      " spawns to answer before it is asked for more"};
      break;
    }
    if (options_.max_agents > 0 && agents_.size() + spawning_ >= options_.max_agents) {
      r.shortage = {ec::at_maximum, "all roles together have as many agents as they may "
                                    "(scaling.max_agents is " +
                                        std::to_string(options_.max_agents) + ")"};
      break;
    }
    if (!s.limit.take(*now_)) {
      r.shortage = {ec::no_agent,
                    "its service is asked for no more agents than scaling.spawn_rate allows"};
      break;
    }
    spawn(r, s, 0, out);
  }
  if (!by_load) // they come for a skill: the load alone would not keep them
    r.scaler.keep(static_cast<std::uint32_t>(r.ready.size()) + r.spawning, *now_);
}

/// Divides the total over all roles, if a claim has changed: first what is needed now, then what is
/// kept for the idle timeout.
void fleet::divide(const role& changed) {
  if (options_.max_agents == 0)
    return;
  if (changed.claim == std::pair{changed.scaler.needed(), changed.scaler.kept()} &&
      !division_stale_)
    return;
  division_stale_ = false;
  std::vector<share_claim> claims;
  for (auto& [name, r] : roles_) {
    r.claim = {r.scaler.needed(), r.scaler.kept()};
    claims.push_back({std::min(r.policy.min_agents, r.claim.first), r.claim.first});
  }
  auto shares = divide_fairly(options_.max_agents, claims);
  std::size_t i = 0;
  for (auto& [name, r] : roles_) {
    claims[i] = {shares[i], r.claim.second};
    ++i;
  }
  shares = divide_fairly(options_.max_agents, claims);
  i = 0;
  for (auto& [name, r] : roles_)
    r.share = shares[i++];
}

/// Has the router tell the load, and those that are idle if some are too many. The router looks at
/// all agents of the role for that, so that large roles are asked less often.
void fleet::look_at_load(role& r, effects& out) {
  auto surplus = r.surplus() > 0;
  // While tasks wait it tells every change by itself.
  if (retiring_ || r.ready.empty() || *now_ < r.next_sample || (r.demand.waiting > 0 && !surplus))
    return;
  constexpr std::chrono::microseconds per_agent{100};
  r.next_sample = *now_ + r.ready.size() * per_agent;
  out.emplace_back(ask_idle{r.name, surplus ? millis{0} : r.policy.idle_timeout});
}

void fleet::spawn(role& r, service& s, std::uint64_t order, effects& out) {
  ++r.spawning;
  ++s.spawning;
  ++spawning_;
  r.scaler.on_spawn_sent(*now_);
  service_answer blank;
  blank.service = s.config.name;
  blank.question = service_question::spawn;
  blank.round = s.round;
  blank.role = r.name;
  blank.order = order;
  out.emplace_back(std::move(blank));
}

bool fleet::undrain(role& r, effects& out) {
  for (const auto& key : r.draining) {
    auto& a = agents_.at(key);
    if (a.retiring || a.unwanted)
      continue;
    set_state(a, agent_state::ready, out);
    return true;
  }
  return false;
}

void fleet::retire(agent& a, effects& out) {
  if (a.retiring)
    return;
  a.retiring = true;
  service_answer blank;
  blank.service = a.record.key.service;
  blank.question = service_question::retire;
  blank.round = services_.at(blank.service).round;
  blank.agent = a.record.key.id;
  out.emplace_back(std::move(blank));
}

/// A spawn has failed. Those that were under way together are one reason to wait longer, not many.
void fleet::back_off(role& r, failure why, millis at_least) {
  ++r.failures;
  r.trouble = std::move(why);
  if (*now_ >= r.spawn_not_before)
    ++r.backoff_level;
  auto backoff = options_.spawn_backoff;
  for (std::uint32_t i = 1; i < r.backoff_level && backoff < options_.max_spawn_backoff; ++i)
    backoff *= 2;
  backoff = std::max(std::min(backoff, options_.max_spawn_backoff),
                     std::min(at_least, options_.max_retry_after));
  r.spawn_not_before = std::max(r.spawn_not_before, *now_ + backoff);
}

void fleet::calm_down(role& r) {
  r.failures = 0;
  r.backoff_level = 0;
  r.early_end.reset();
}

void fleet::note_trouble(role& r, failure why) {
  if (!r.trouble_since)
    r.trouble_since = now_;
  r.trouble = std::move(why);
}

void fleet::check_patience(role& r, effects& out) {
  if (!r.trouble_since)
    return;
  if (r.demand.waiting == 0 || r.has_agents()) {
    r.trouble_since.reset();
    return;
  }
  if (*now_ - *r.trouble_since < options_.patience)
    return;
  r.trouble_since.reset();
  out.emplace_back(
      role_unavailable{r.name,
                       {r.trouble.kind, "no agent for the role \"" + r.name.str() + "\" within " +
                                            std::to_string(options_.patience.count()) +
                                            " ms: " + r.trouble.message}});
}

} // namespace rolecall
