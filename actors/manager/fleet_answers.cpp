// What the manager's core makes of the answers of agents services.
#include "actors/manager/fleet.hpp"

#include <algorithm>
#include <set>

namespace rolecall {

fleet::effects fleet::on_answer(const service_answer& answer, time_point now) {
  effects out;
  auto found = services_.find(answer.service);
  if (found == services_.end())
    return out;
  auto& s = found->second;
  switch (answer.question) {
  case service_question::health:
  case service_question::roles:
  case service_question::agents: on_check_answer(s, answer, now, out); break;
  case service_question::spawn:
    --s.spawning;
    --roles_[answer.role].spawning;
    if (answer.ok)
      on_spawned(s, answer, now, out);
    else
      on_spawn_failed(s, answer, now, out);
    break;
  case service_question::retire: on_retired(s, answer, now, out); break;
  }
  return out;
}

void fleet::on_check_answer(service& s, const service_answer& answer, time_point now,
                            effects& out) {
  --s.answers_due;
  if (!answer.ok)
    on_check_failed(s, answer, now, out);
  else if (answer.question == service_question::roles)
    on_roles(s, answer, out);
  else if (answer.question == service_question::agents)
    on_listed(s, answer, now, out);
  if (s.answers_due > 0)
    return;
  s.checked = true;
  if (s.failed_round == s.round)
    return;
  s.failed_checks = 0;
  s.reachable = true;
  s.problem.clear();
  for (auto& [name, r] : roles_)
    scale(name, now, out);
  if (s.refresh && s.round <= s.refresh_after)
    check(s, now, out); // a suspicion has come in the middle of this one
}

void fleet::on_check_failed(service& s, const service_answer& answer, time_point now,
                            effects& out) {
  s.problem = answer.error.message;
  s.problem_kind = answer.error.kind;
  s.reachable = false;
  if (s.failed_round == answer.round)
    return;
  s.failed_round = answer.round;
  s.next_check = now + options_.failing_check_interval;
  if (++s.failed_checks < options_.failed_checks_to_down)
    return;
  std::vector<agent_key> gone;
  for (const auto& [key, a] : agents_)
    if (key.service == s.config.name)
      gone.push_back(key);
  for (const auto& key : gone)
    drop(key, out);
}

void fleet::on_roles(service& s, const service_answer& answer, effects& out) {
  auto changed = !s.told_roles || s.offers != answer.roles;
  s.told_roles = true;
  s.offers = answer.roles;
  if (changed)
    out.emplace_back(directory());
}

void fleet::on_listed(service& s, const service_answer& answer, time_point, effects& out) {
  auto refresh = s.refresh && answer.round > s.refresh_after;
  std::set<agent_key> listed;
  for (const auto& record : answer.agents) {
    listed.insert(record.key);
    auto ended = s.ended.find(record.key.id);
    if (ended != s.ended.end() && ended->second >= answer.round)
      continue;
    auto [entry, found] = agents_.try_emplace(record.key);
    auto& a = entry->second;
    auto draining = !found && a.record.state == agent_state::draining;
    auto fresh = record;
    if (draining)
      fresh.state = agent_state::draining; // ours to end, whatever its service knows of it
    fresh.revision = a.record.revision;
    if (!found && !refresh && a.record == fresh)
      continue;
    a.record = std::move(fresh);
    put_record(a, out);
  }
  std::vector<agent_key> gone;
  for (const auto& [key, a] : agents_)
    if (key.service == s.config.name && !listed.contains(key) && a.known_round < answer.round)
      gone.push_back(key);
  for (const auto& key : gone)
    drop(key, out);
  std::erase_if(s.ended, [&](const auto& entry) { return entry.second < answer.round; });
  if (refresh)
    s.refresh = false;
}

void fleet::on_spawned(service& s, const service_answer& answer, time_point now, effects& out) {
  ++spawned_;
  auto& r = roles_[answer.role];
  r.failures = 0;
  r.trouble_since.reset();
  const auto& record = answer.agents.front();
  // What the router has told of demand is older than this agent.
  r.demand.unmatched -= std::min(r.demand.unmatched, record.max_concurrency);
  auto [entry, fresh] = agents_.try_emplace(record.key);
  auto& a = entry->second;
  a.ours = true;
  a.known_round = s.round;
  if (fresh) { // else a list has brought it before the answer came
    a.record = record;
    put_record(a, out);
  }
  if (retiring_ && a.record.state == agent_state::ready)
    drain(a, out);
  else
    scale(answer.role, now, out);
}

void fleet::on_spawn_failed(service& s, const service_answer& answer, time_point now,
                            effects& out) {
  ++spawns_failed_;
  auto& r = roles_[answer.role];
  auto backoff = options_.spawn_backoff;
  for (std::uint32_t i = 0; i < r.failures && backoff < options_.max_spawn_backoff; ++i)
    backoff *= 2;
  ++r.failures;
  backoff = std::max(std::min(backoff, options_.max_spawn_backoff),
                     std::min(answer.retry_after, options_.max_retry_after));
  r.spawn_not_before = std::max(r.spawn_not_before, now + backoff);
  if (answer.error.kind == ec::service_unreachable) {
    s.next_check = now;
  } else if (answer.final) { // the service does not know the role: nothing to be patient about
    r.spawn_not_before = now + options_.max_spawn_backoff;
    if (r.demand.waiting > 0)
      out.emplace_back(role_unavailable{answer.role, answer.error});
    return;
  }
  if (r.demand.waiting > 0 && count(answer.role, agent_state::ready) == 0)
    note_trouble(r, answer.error, now);
}

void fleet::on_retired(service& s, const service_answer& answer, time_point now, effects& out) {
  agent_key key{answer.service, answer.agent};
  auto found = agents_.find(key);
  if (found == agents_.end())
    return;
  if (answer.ok) {
    ++retired_;
    s.ended[key.id] = s.round;
    auto role = found->second.record.role;
    drop(key, out);
    scale(role, now, out);
    return;
  }
  found->second.retiring = false;
  found->second.retry_at = now + std::max(options_.failing_check_interval,
                                          std::min(answer.retry_after, options_.max_retry_after));
}

} // namespace rolecall
