#include "actors/manager/fleet.hpp"

#include <algorithm>

namespace rolecall {

fleet::fleet(fleet_options options) : options_{std::move(options)} {
  for (const auto& config : options_.services)
    services_.emplace(config.name, service{config, {options_.spawn_rate, options_.spawn_burst}});
  for (const auto& [name, policy] : options_.roles)
    if (policy.min_agents > 0 || policy.warm_spares > 0)
      role_of(name);
}

// -- what happens
// ------------------------------------------------------------------------------------

fleet::effects fleet::on_tick(time_point time) {
  effects out;
  auto now = advance(time);
  for (auto& [name, s] : services_)
    if (now >= s.next_check && s.answers_due == 0)
      check(s, out);
  for (auto& [name, r] : roles_) {
    for (const auto& key : r.draining)
      if (auto& a = agents_.at(key); a.drained && now >= a.retry_at)
        retire(a, out);
    r.scaler.on_tick(slots_of(r), static_cast<std::uint32_t>(r.ready.size()), now);
    if (r.early_end && !r.ready.empty() && now - *r.early_end >= options_.probation)
      calm_down(r);
    scale(r, out);
    check_patience(r, out);
    retire_unhealthy(r, out);
    look_at_load(r, out);
  }
  auto forgotten = std::erase_if(roles_, [&](const auto& entry) {
    const auto& r = entry.second;
    return r.demand.waiting == 0 && r.spawning == 0 && now >= r.spawn_not_before &&
           !options_.roles.contains(r.name) && !offers_.contains(r.name) && r.count() == 0;
  });
  division_stale_ = division_stale_ || forgotten > 0;
  return out;
}

fleet::effects fleet::on_demand(const role_demand& demand, time_point time) {
  advance(time);
  auto& r = role_of(demand.role);
  r.own = demand;
  return add_up_demand(r);
}

fleet::effects fleet::on_peer_demand(const role_demand& demand, time_point time) {
  advance(time);
  auto& r = role_of(demand.role);
  r.peers = demand;
  return add_up_demand(r);
}

fleet::effects fleet::on_holds(const service_holds& holds, time_point time) {
  effects out;
  auto now = advance(time);
  for (auto& [name, s] : services_) {
    auto holder = holds.holders.find(name);
    auto held_by = holder == holds.holders.end() ? node_name{} : holder->second;
    if (held_by.empty() != s.held_by.empty())
      s.next_check = now; // what it has is to be known soon
    s.held_by = held_by;
    if (!held_by.empty())
      for (const auto& key : agents_of(s))
        drop(key, out);
  }
  collect_offers(out);
  for (auto& [name, r] : roles_)
    scale(r, out);
  return out;
}

fleet::effects fleet::add_up_demand(role& r) {
  effects out;
  r.demand = r.own;
  r.demand.waiting += r.peers.waiting;
  r.demand.unmatched += r.peers.unmatched;
  if (r.demand.waiting == 0)
    r.trouble_since.reset();
  scale(r, out);
  return out;
}

fleet::effects fleet::on_drained(const agent_key& key) {
  effects out;
  auto found = agents_.find(key);
  if (found != agents_.end() && found->second.record.state == agent_state::draining) {
    found->second.drained = true;
    retire(found->second, out);
  }
  return out;
}

fleet::effects fleet::on_suspect(const agent_key& key, time_point time) {
  effects out;
  auto now = advance(time);
  auto found = services_.find(key.service);
  if (found == services_.end())
    return out;
  auto& s = found->second;
  s.refresh = true;
  s.refresh_after = s.round; // what the check under way says may be older than the suspicion
  s.next_check = now;
  if (s.answers_due == 0)
    check(s, out);
  return out;
}

/// Those that are idle go first. If they are too few, for example because an agent takes many tasks
/// at a time and each has one, others go once they have finished what they have.
fleet::effects fleet::on_idle(const role_name& name, const std::vector<agent_key>& idle) {
  effects out;
  auto found = roles_.find(name);
  if (retiring_ || found == roles_.end())
    return out;
  auto& r = found->second;
  for (const auto& key : idle) {
    if (r.surplus() == 0)
      return out;
    if (r.ready.contains(key))
      set_state(agents_.at(key), agent_state::draining, out);
  }
  while (r.surplus() > 0)
    set_state(agents_.at(*r.ready.rbegin()), agent_state::draining, out);
  return out;
}

fleet::effects fleet::begin_retirement(time_point time) {
  effects out;
  auto now = advance(time);
  retiring_ = true;
  for (auto& [name, r] : roles_) {
    auto ready = r.ready; // draining ones leave it
    for (const auto& key : ready)
      if (auto& a = agents_.at(key); a.ours && r.ready.size() > r.policy.min_agents)
        set_state(a, agent_state::draining, out);
    auto unhealthy = r.unhealthy; // likewise
    for (const auto& key : unhealthy)
      if (auto& a = agents_.at(key); a.ours)
        set_state(a, agent_state::draining, out);
  }
  for (auto& [name, s] : services_) // so that a service that has gone is not waited for
    s.next_check = now;
  return out;
}

// -- inside
// ------------------------------------------------------------------------------------------

fleet::time_point fleet::advance(time_point now) {
  auto time = now + set_back_;
  if (now_ && time < *now_) {
    set_back_ += *now_ - time;
    time = *now_;
  }
  now_ = time;
  return time;
}

fleet::role& fleet::role_of(const role_name& name) {
  auto found = roles_.find(name);
  if (found == roles_.end()) {
    found = roles_.emplace(name, role{name, policy_of(name), options_.windows}).first;
    found->second.demand.role = found->second.own.role = name;
    division_stale_ = true;
  }
  return found->second;
}

role_policy fleet::policy_of(const role_name& name) const {
  auto found = options_.roles.find(name);
  return found == options_.roles.end() ? options_.defaults : found->second;
}

const role_offer* fleet::offer_of(const role_name& name) const {
  auto found = offers_.find(name);
  return found == offers_.end() ? nullptr : &found->second;
}

fleet::service* fleet::service_of(const role_name& name) {
  auto wanted = policy_of(name).service;
  if (const auto* offer = offer_of(name); offer && wanted.empty())
    wanted = offer->service;
  auto found = services_.find(wanted);
  return found == services_.end() || !found->second.held_by.empty() ? nullptr : &found->second;
}

/// How many attempts an agent of the role takes at a time: what the router knows of those that are
/// there, else what the service says.
double fleet::slots_of(role& r) const {
  if (r.demand.slots_known) {
    r.growth = {};
    return r.demand.slots;
  }
  const auto* offer = offer_of(r.name);
  if (offer && offer->limit_declared)
    return std::max(1u, offer->max_concurrency);
  return r.growth.slots(r.demand, static_cast<std::uint32_t>(r.ready.size()), *now_);
}

void fleet::enter(const agent& a) {
  auto& r = role_of(a.record.role);
  switch (a.record.state) {
  case agent_state::ready: r.ready.insert(a.record.key); break;
  case agent_state::draining: r.draining.insert(a.record.key); break;
  case agent_state::unhealthy: r.unhealthy.insert(a.record.key); break;
  }
}

void fleet::leave(const agent& a) {
  auto& r = role_of(a.record.role);
  r.ready.erase(a.record.key);
  r.draining.erase(a.record.key);
  r.unhealthy.erase(a.record.key);
}

void fleet::put_record(agent& a, effects& out) {
  a.record.revision = ++revision_;
  out.emplace_back(put{a.record});
}

void fleet::set_state(agent& a, agent_state state, effects& out) {
  leave(a);
  a.record.state = state;
  if (state != agent_state::unhealthy) {
    a.record.problem = {};
    a.unhealthy_since.reset();
  }
  a.drained = false;
  enter(a);
  put_record(a, out);
}

void fleet::drop(const agent_key& key, effects& out) {
  auto found = agents_.find(key);
  leave(found->second);
  --services_.at(key.service).agents;
  agents_.erase(found);
  ++revision_;
  out.emplace_back(remove{key});
}

/// An agent is gone that nobody wanted gone. If that was soon after its spawn, the next one will
/// hardly fare better: it is put off, as if the spawn had failed.
void fleet::lose(const agent_key& key, const std::string& why, effects& out) {
  const auto& a = agents_.at(key);
  if (a.spawned_at && *now_ - *a.spawned_at < options_.probation &&
      a.record.state == agent_state::ready) {
    auto& r = role_of(a.record.role);
    r.early_end = now_;
    back_off(r,
             {ec::spawn_refused,
              "the agent " + to_string(key) + " was gone soon after its spawn: " + why},
             millis{0});
  }
  drop(key, out);
}

} // namespace rolecall
