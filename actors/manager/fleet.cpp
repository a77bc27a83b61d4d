#include "actors/manager/fleet.hpp"

#include <algorithm>

namespace rolecall {

std::uint32_t desired_agents(const role_policy& policy, const role_demand& demand,
                             std::uint32_t max_concurrency) {
  auto per_agent = std::max<std::uint64_t>(1, max_concurrency);
  // Who runs has an agent. Only while somebody waits does it matter how many that are.
  auto work = demand.waiting > 0 ? std::uint64_t{demand.waiting} + demand.running : 0;
  auto wanted = (work + per_agent - 1) / per_agent;
  auto least = std::min(policy.min_agents, policy.max_agents);
  return static_cast<std::uint32_t>(std::clamp<std::uint64_t>(wanted, least, policy.max_agents));
}

fleet::fleet(fleet_options options) : options_{std::move(options)} {
  for (const auto& config : options_.services)
    services_[config.name].config = config;
  for (const auto& [name, policy] : options_.roles)
    if (policy.min_agents > 0)
      roles_[name].demand.role = name;
}

// -- what happens
// ------------------------------------------------------------------------------------

fleet::effects fleet::on_tick(time_point now) {
  effects out;
  for (auto& [name, s] : services_)
    if (now >= s.next_check && s.answers_due == 0)
      check(s, now, out);
  for (auto& [key, a] : agents_)
    if (a.drained && !a.retiring && now >= a.retry_at)
      retire(a, out);
  for (auto& [name, r] : roles_) {
    scale(name, now, out);
    check_patience(name, r, now, out);
    auto policy = policy_of(name);
    if (!retiring_ && r.demand.waiting == 0 && count(name, agent_state::ready) > policy.min_agents)
      out.emplace_back(ask_idle{name, policy.idle_timeout});
  }
  std::erase_if(roles_, [&](const auto& entry) {
    const auto& [name, r] = entry;
    return r.demand.waiting == 0 && r.spawning == 0 && now >= r.spawn_not_before &&
           !options_.roles.contains(name) && count(name, agent_state::ready) == 0 &&
           count(name, agent_state::draining) == 0;
  });
  return out;
}

fleet::effects fleet::on_demand(const role_demand& demand, time_point now) {
  effects out;
  auto& r = roles_[demand.role];
  r.demand = demand;
  if (demand.waiting == 0)
    r.trouble_since.reset();
  scale(demand.role, now, out);
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

fleet::effects fleet::on_suspect(const agent_key& key, time_point now) {
  effects out;
  auto found = services_.find(key.service);
  if (found == services_.end())
    return out;
  auto& s = found->second;
  s.refresh = true;
  s.refresh_after = s.round; // what the check under way says may be older than the suspicion
  s.next_check = now;
  if (s.answers_due == 0)
    check(s, now, out);
  return out;
}

fleet::effects fleet::on_idle(const role_name& name, const std::vector<agent_key>& idle) {
  effects out;
  auto r = roles_.find(name);
  if (retiring_ || (r != roles_.end() && r->second.demand.waiting > 0))
    return out;
  auto ready = count(name, agent_state::ready);
  for (const auto& key : idle) {
    if (ready <= policy_of(name).min_agents)
      break;
    auto found = agents_.find(key);
    if (found == agents_.end() || found->second.record.state != agent_state::ready)
      continue;
    drain(found->second, out);
    --ready;
  }
  return out;
}

fleet::effects fleet::begin_retirement(time_point now) {
  effects out;
  retiring_ = true;
  std::map<role_name, std::uint32_t> keep; // ready agents that may still go
  for (auto& [key, a] : agents_)
    if (a.record.state == agent_state::ready)
      ++keep[a.record.role];
  for (auto& [key, a] : agents_) {
    auto& left = keep[a.record.role];
    if (!a.ours || a.record.state != agent_state::ready ||
        left <= policy_of(a.record.role).min_agents)
      continue;
    drain(a, out);
    --left;
  }
  for (auto& [name, s] : services_) // so that a service that has gone is not waited for
    s.next_check = now;
  return out;
}

// -- inside
// ------------------------------------------------------------------------------------------

role_policy fleet::policy_of(const role_name& name) const {
  auto found = options_.roles.find(name);
  return found == options_.roles.end() ? options_.defaults : found->second;
}

const role_offer* fleet::offer_of(const role_name& name) const {
  auto wanted = policy_of(name).service;
  for (const auto& config : options_.services)
    if (wanted.empty() || wanted == config.name)
      for (const auto& offer : services_.at(config.name).offers)
        if (offer.role == name)
          return &offer;
  return nullptr;
}

fleet::service* fleet::service_of(const role_name& name) {
  auto wanted = policy_of(name).service;
  if (!wanted.empty()) {
    auto found = services_.find(wanted);
    return found == services_.end() ? nullptr : &found->second;
  }
  const auto* offer = offer_of(name);
  return offer ? &services_.at(offer->service) : nullptr;
}

std::uint32_t fleet::count(const role_name& name, agent_state state) const {
  std::uint32_t result = 0;
  for (const auto& [key, a] : agents_)
    result += a.record.role == name && a.record.state == state ? 1 : 0;
  return result;
}

void fleet::check(service& s, time_point now, effects& out) {
  ++s.round;
  s.next_check = now + options_.check_interval;
  ask(s, service_question::health, out);
  ask(s, service_question::agents, out);
  if (!s.reachable || now >= s.next_roles) {
    s.next_roles = now + options_.roles_interval;
    ask(s, service_question::roles, out);
  }
}

void fleet::ask(service& s, service_question question, effects& out) {
  ++s.answers_due;
  service_answer blank;
  blank.service = s.config.name;
  blank.question = question;
  blank.round = s.round;
  out.emplace_back(std::move(blank));
}

void fleet::scale(const role_name& name, time_point now, effects& out) {
  if (retiring_)
    return;
  auto& r = roles_[name];
  auto policy = policy_of(name);
  const auto* offer = offer_of(name);
  auto per_agent = offer ? offer->max_concurrency : 1;
  auto ready = count(name, agent_state::ready);
  auto wanted = desired_agents(policy, r.demand, per_agent);
  while (ready + r.spawning < wanted && undrain(name, out))
    ++ready;
  auto present = ready + count(name, agent_state::draining);
  auto room = policy.max_agents > present ? policy.max_agents - present : 0;
  // Those that are there cannot help who needs a skill that they lack.
  auto lacking = (r.demand.unmatched + per_agent - 1) / per_agent;
  auto missing = std::min(room, std::max(wanted > present ? wanted - present : 0, lacking));
  if (r.spawning >= missing)
    return;
  auto* s = service_of(name);
  if (!s || !s->reachable) {
    if (r.demand.waiting > 0 && ready == 0)
      for (const auto& [other_name, other] : services_)
        if (!other.reachable && other.checked && (!s || s == &other))
          note_trouble(r, {other.problem_kind, other.problem}, now);
    return;
  }
  while (r.spawning < missing && s->spawning < options_.max_spawns_in_flight &&
         now >= r.spawn_not_before)
    spawn(name, r, *s, 0, out);
}

void fleet::spawn(const role_name& name, role& r, service& s, std::uint64_t order, effects& out) {
  ++r.spawning;
  ++s.spawning;
  service_answer blank;
  blank.service = s.config.name;
  blank.question = service_question::spawn;
  blank.round = s.round;
  blank.role = name;
  blank.order = order;
  out.emplace_back(std::move(blank));
}

bool fleet::undrain(const role_name& name, effects& out) {
  for (auto& [key, a] : agents_) {
    if (a.record.role != name || a.record.state != agent_state::draining || a.retiring ||
        a.unwanted)
      continue;
    a.drained = false;
    a.record.state = agent_state::ready;
    put_record(a, out);
    return true;
  }
  return false;
}

void fleet::drain(agent& a, effects& out) {
  a.record.state = agent_state::draining;
  put_record(a, out);
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

void fleet::note_trouble(role& r, failure why, time_point now) {
  if (!r.trouble_since)
    r.trouble_since = now;
  r.trouble = std::move(why);
}

void fleet::check_patience(const role_name& name, role& r, time_point now, effects& out) {
  if (!r.trouble_since)
    return;
  if (r.demand.waiting == 0 || count(name, agent_state::ready) > 0) {
    r.trouble_since.reset();
    return;
  }
  if (now - *r.trouble_since < options_.patience)
    return;
  r.trouble_since.reset();
  out.emplace_back(
      role_unavailable{name,
                       {r.trouble.kind, "no agent for the role \"" + name.value + "\" within " +
                                            std::to_string(options_.patience.count()) +
                                            " ms: " + r.trouble.message}});
}

void fleet::put_record(agent& a, effects& out) {
  a.record.revision = ++revision_;
  out.emplace_back(put{a.record});
}

void fleet::drop(const agent_key& key, effects& out) {
  agents_.erase(key);
  out.emplace_back(remove{key});
}

} // namespace rolecall
