// What the manager's core makes of the answers of agents services.
#include "actors/manager/fleet.hpp"

#include <algorithm>
#include <cmath>
#include <set>

namespace rolecall {

fleet::effects fleet::on_answer(const service_answer& answer, time_point now) {
  effects out;
  advance(now);
  auto found = services_.find(answer.service);
  if (found == services_.end())
    return out;
  auto& s = found->second;
  switch (answer.question) {
  case service_question::health:
  case service_question::roles:
  case service_question::agents: on_check_answer(s, answer, out); break;
  case service_question::spawn: {
    auto& r = role_of(answer.role);
    --s.spawning;
    --r.spawning;
    --spawning_;
    r.scaler.on_spawn_ended(answer.ok, *now_);
    if (answer.ok)
      on_spawned(s, answer, out);
    else
      on_spawn_failed(s, answer, out);
    break;
  }
  case service_question::retire: on_retired(s, answer, out); break;
  }
  return out;
}

void fleet::check(service& s, effects& out) {
  ++s.round;
  s.next_check = *now_ + options_.check_interval;
  ask(s, service_question::health, out);
  ask(s, service_question::agents, out);
  if (!s.reachable || *now_ >= s.next_roles) {
    s.next_roles = *now_ + options_.roles_interval;
    ask(s, service_question::roles, out);
  }
}

void fleet::ask(service& s, service_question question, effects& out) {
  ++s.answers_due;
  service_answer blank;
  blank.service = s.config.name;
  blank.question = question;
  blank.round = s.round;
  if (question == service_question::agents && s.list_revision == revision_ && !s.refresh)
    blank.content = s.list_content; // the same list would change nothing
  out.emplace_back(std::move(blank));
}

void fleet::on_check_answer(service& s, const service_answer& answer, effects& out) {
  --s.answers_due;
  if (answer.ok && !answer.unchanged)
    s.left_out[answer.question] = answer.error.message;
  if (!answer.ok)
    on_check_failed(s, answer, out);
  else if (answer.question == service_question::roles)
    on_roles(s, answer, out);
  else if (answer.question == service_question::agents)
    on_listed(s, answer, out);
  if (s.answers_due > 0)
    return;
  s.checked = true;
  if (s.failed_round == s.round)
    return;
  s.failed_checks = 0;
  s.reachable = true;
  s.problem.clear();
  for (const auto& [question, what] : s.left_out)
    s.problem += (s.problem.empty() || what.empty() ? "" : "; ") + what;
  for (auto& [name, r] : roles_)
    scale(r, out);
  if (s.refresh && s.round <= s.refresh_after)
    check(s, out); // a suspicion has come in the middle of this one
}

void fleet::on_check_failed(service& s, const service_answer& answer, effects& out) {
  s.problem = answer.error.message;
  s.problem_kind = answer.error.kind;
  s.reachable = false;
  if (s.failed_round == answer.round)
    return;
  s.failed_round = answer.round;
  s.next_check = *now_ + options_.failing_check_interval;
  if (++s.failed_checks < options_.failed_checks_to_down)
    return;
  for (const auto& key : agents_of(s))
    drop(key, out);
}

void fleet::on_roles(service& s, const service_answer& answer, effects& out) {
  auto changed = !s.told_roles || s.offers != answer.roles;
  s.told_roles = true;
  if (!changed)
    return;
  s.offers = answer.roles;
  collect_offers(out);
}

void fleet::collect_offers(effects& out) {
  offers_.clear();
  for (const auto& config : options_.services)
    if (const auto& s = services_.at(config.name); s.held_by.empty())
      for (const auto& offer : s.offers) {
        auto wanted = policy_of(offer.role).service;
        if (wanted.empty() || wanted == config.name)
          offers_.emplace(offer.role, offer); // the first one stays
      }
  out.emplace_back(directory());
}

void fleet::on_listed(service& s, const service_answer& answer, effects& out) {
  if (!s.held_by.empty())
    return;
  if (answer.unchanged) {
    if (s.list_revision != revision_) { // an agent has come or gone since it was asked for
      s.list_content = 0;
      s.next_check = *now_;
    }
    return;
  }
  auto refresh = s.refresh && answer.round > s.refresh_after;
  std::set<agent_key> listed;
  for (const auto& record : answer.agents) {
    listed.insert(record.key);
    auto ended = s.ended.find(record.key.id);
    if (ended == s.ended.end() || ended->second < answer.round)
      list(s, record, refresh, out);
  }
  auto all_listed = true;
  for (const auto& key : agents_of(s))
    if (!listed.contains(key)) {
      if (agents_.at(key).known_round < answer.round)
        lose(key, "its service does not list it", out);
      else
        all_listed = false;
    }
  std::erase_if(s.ended, [&](const auto& entry) { return entry.second < answer.round; });
  if (refresh)
    s.refresh = false;
  s.list_content = all_listed && s.ended.empty() ? answer.content : 0;
  s.list_revision = revision_;
}

void fleet::list(service& s, const agent_record& listed, bool refresh, effects& out) {
  auto [entry, found] = agents_.try_emplace(listed.key);
  auto& a = entry->second;
  auto fresh = listed;
  // Ours to end, and to check, whatever its service knows of it.
  if (!found && (a.record.state == agent_state::draining || a.record.role == fresh.role)) {
    fresh.state = a.record.state;
    fresh.problem = a.record.problem;
  }
  fresh.revision = a.record.revision;
  if (!found && !refresh && a.record == fresh)
    return;
  if (!found)
    leave(a);
  a.record = std::move(fresh);
  enter(a);
  put_record(a, out);
  if (!found)
    return;
  ++s.agents;
  auto& r = role_of(a.record.role);
  r.scaler.keep(static_cast<std::uint32_t>(r.ready.size()), *now_);
}

std::vector<agent_key> fleet::agents_of(const service& s) const {
  std::vector<agent_key> result;
  for (auto entry = agents_.lower_bound({s.config.name, agent_id{}});
       entry != agents_.end() && entry->first.service == s.config.name; ++entry)
    result.push_back(entry->first);
  return result;
}

void fleet::on_spawned(service& s, const service_answer& answer, effects& out) {
  ++spawned_;
  auto& r = role_of(answer.role);
  r.trouble_since.reset();
  if (!r.early_end)
    calm_down(r);
  if (!s.held_by.empty())
    return; // the node that manages it now finds the agent in its list
  const auto& record = answer.agents.front();
  // What the router has told of demand is older than this agent.
  r.demand.unmatched -=
      std::min(r.demand.unmatched, static_cast<std::uint32_t>(std::ceil(slots_of(r))));
  auto [entry, fresh] = agents_.try_emplace(record.key);
  auto& a = entry->second;
  a.ours = true;
  a.spawned_at = now_;
  a.known_round = s.round;
  if (fresh) { // else a list has brought it before the answer came
    a.record = record;
    enter(a);
    ++s.agents;
  }
  if (answer.order != 0)
    r.scaler.keep(static_cast<std::uint32_t>(r.ready.size()), *now_);
  // Those that start are the first to go, before any that runs; nobody sees them ready.
  if ((retiring_ || r.surplus() > 0) && a.record.state == agent_state::ready)
    return set_state(a, agent_state::draining, out);
  if (fresh)
    put_record(a, out);
  scale(r, out);
}

void fleet::on_spawn_failed(service& s, const service_answer& answer, effects& out) {
  ++spawns_failed_;
  auto& r = role_of(answer.role);
  back_off(r, answer.error, answer.retry_after);
  if (answer.error.kind == ec::service_unreachable) {
    s.next_check = *now_;
  } else if (answer.final) { // the service does not know the role: nothing to be patient about
    r.spawn_not_before = *now_ + options_.max_spawn_backoff;
    if (r.demand.waiting > 0)
      out.emplace_back(role_unavailable{answer.role, answer.error});
    return;
  }
  if (r.demand.waiting > 0 && !r.has_agents())
    note_trouble(r, answer.error);
}

void fleet::on_retired(service& s, const service_answer& answer, effects& out) {
  agent_key key{answer.service, answer.agent, config_of(answer.service).node};
  auto found = agents_.find(key);
  if (found == agents_.end())
    return;
  if (answer.ok) {
    ++retired_;
    s.ended[key.id] = s.round;
    auto role = found->second.record.role;
    drop(key, out);
    scale(role_of(role), out);
    return;
  }
  found->second.retiring = false;
  found->second.retry_at = *now_ + std::max(options_.failing_check_interval,
                                            std::min(answer.retry_after, options_.max_retry_after));
}

} // namespace rolecall
