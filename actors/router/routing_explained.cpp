// What can be asked of the routing table, without a change to it.
#include "actors/router/routing_table.hpp"

#include <algorithm>
#include <cmath>
#include <tuple>

namespace rolecall {

namespace {

constexpr std::size_t max_candidates = 16;

millis left(routing_table::time_point until, routing_table::time_point now) {
  return std::max(millis{0}, std::chrono::ceil<millis>(until - now));
}

std::string number(double value) {
  auto text = std::to_string(value);
  text.erase(text.find_last_not_of('0') + 1);
  return text.back() == '.' ? text.substr(0, text.size() - 1) : text;
}

std::string cap_text(const std::string& what, const start_limit& limit, const std::string& set_by) {
  return what + " may have " + std::to_string(limit.max_parallel) + " at the same time (" + set_by +
         ")";
}

std::string rate_text(const std::string& what, const start_limit& limit,
                      const std::string& set_by) {
  return what + " may start " + number(limit.per_second) + " a second, " +
         std::to_string(limit.burst) + " at once (" + set_by + ")";
}

std::string key_text(const std::string& fairness_key) {
  return fairness_key.empty() ? "what has no fairness key"
                              : "the fairness key \"" + fairness_key + "\"";
}

std::string share_text(const placement_request& request, const headroom::reserve& left) {
  return key_text(request.fairness_key) + " wants more than its share: those who do have " +
         number(left.greedy) +
         " attempts running, and leave to the others what those had of late, " +
         number(std::ceil(left.others)) + " (routing.fairness.headroom)";
}

/// Of an agent that is busy: for how long it has finished nothing, if that is worth a word.
std::string idle_text(const routed_agent& a, routing_table::time_point now) {
  auto silent = std::chrono::duration_cast<std::chrono::seconds>(now - a.progress_at);
  return a.others > 0 || silent < std::chrono::seconds{5} // of theirs this node knows nothing
             ? ""
             : ", and has finished nothing for " + std::to_string(silent.count()) + " s";
}

std::string note_on(const placement_request& request, const routed_agent& a,
                    routing_table::time_point now) {
  for (const auto& skill : request.skills)
    if (!a.record.skills.contains(skill))
      return "lacks the skill \"" + skill + "\"";
  if (a.record.state == agent_state::draining)
    return "is draining";
  if (a.suspect)
    return "behaves as if it were gone";
  if (a.record.state == agent_state::unhealthy)
    return "is unhealthy, and checked again in " + std::to_string(left(a.next_check, now).count()) +
           " ms; its latest failed check: " + a.record.problem.message;
  if (a.parked_until > now)
    return "is parked for " + std::to_string(left(a.parked_until, now).count()) + " ms";
  if (a.health.ejected(now))
    return "has failed too often and is left alone for " +
           std::to_string(left(a.health.ejected_until(), now).count()) + " ms";
  if (!a.free_slot(now))
    return a.health.on_probation(now)   ? "was ejected and has one attempt to show that it is well"
           : a.in_flight < a.limit(now) ? "is at its limit, with a health check"
                                        : "is at its limit" + idle_text(a, now);
  if (auto open = a.gate.closed_until(now))
    return "has used up its rate for " + std::to_string(left(*open, now).count()) + " ms";
  if (std::find(request.avoid.begin(), request.avoid.end(), a.record.key) != request.avoid.end())
    return "was tried before";
  return "";
}

} // namespace

std::optional<routing_table::time_point> routing_table::next_due() const {
  std::optional<time_point> result;
  if (!wakes_.empty())
    result = wakes_.begin()->first;
  if (!key_wakes_.empty() && (!result || key_wakes_.begin()->first < *result))
    result = key_wakes_.begin()->first;
  return result;
}

std::vector<agent_key> routing_table::idle(const role_name& role, millis at_least, time_point now) {
  auto found = roles_.find(role);
  if (found == roles_.end())
    return {};
  demand_changed_.insert(role);
  demand_asked_.insert(role);
  struct worth { // the least goes first
    bool well;
    double success;
    const agent_key* key;
  };
  std::vector<worth> idle;
  for (const auto& [key, a] : found->second.pool.agents())
    if (a.record.state == agent_state::ready && a.in_flight == 0 && now - a.idle_since >= at_least)
      idle.push_back({a.usable(now) && !a.health.on_probation(now), a.health.success(now), &key});
  std::stable_sort(idle.begin(), idle.end(), [](const auto& a, const auto& b) {
    return std::tie(a.well, a.success) < std::tie(b.well, b.success);
  });
  std::vector<agent_key> result;
  for (const auto& each : idle)
    result.push_back(*each.key);
  return result;
}

std::optional<wait_explanation> routing_table::explain(const task_id& task, time_point now) const {
  auto name = waiting_in_.find(task);
  if (name == waiting_in_.end())
    return std::nullopt;
  const auto& role = roles_.at(name->second);
  auto place = role.line.find(task).value();
  const auto& request = *place.request;
  wait_explanation result;
  find_reason(request, role, now, result);
  result.position = static_cast<std::uint32_t>(place.position);
  result.waiting = static_cast<std::uint32_t>(role.line.size());
  result.candidates = candidates_for(request, role, now);
  return result;
}

routing_status routing_table::status(time_point now) const {
  routing_status result;
  for (const auto& [key, agent] : agents_) {
    const auto& a = *agent;
    agent_load load;
    load.agent = a.record;
    load.in_flight = a.in_flight;
    load.succeeded = a.succeeded;
    load.failed = a.ended - a.succeeded;
    load.success_rate = a.success_rate();
    load.latency_ms = a.latency_us / 1'000;
    load.idle =
        a.in_flight == 0 ? std::chrono::duration_cast<millis>(now - a.idle_since) : millis{0};
    load.parked = left(a.parked_until, now);
    load.suspect = a.suspect;
    load.last_error = a.last_error;
    if (!a.last_error.code.empty())
      load.last_error_ago = std::chrono::duration_cast<millis>(now - a.last_error_at);
    load.ejected = left(a.health.ejected_until(), now);
    load.ejections = a.health.ejections();
    load.limit = a.limit(now);
    load.checks_passed = a.checks_passed;
    load.checks_failed = a.checks_failed;
    load.check_error = a.check_error;
    load.next_check = left(a.next_check, now);
    result.agents.push_back(std::move(load));
  }
  std::sort(result.agents.begin(), result.agents.end(),
            [](const auto& a, const auto& b) { return a.agent.key < b.agent.key; });
  for (const auto& [name, role] : roles_)
    if (!role.pool.empty() || !role.line.empty() || role.running + role.away > 0) {
      auto demand = demand_of(name, role, now);
      demand.running += role.away; // whose tasks and whose agents they are does not matter here
      demand.waiting = static_cast<std::uint32_t>(role.line.size()); // all, whatever may run
      result.roles.push_back(std::move(demand));
    }
  for (const auto& [name, counts] : checks_)
    result.checks.push_back(counts);
  return result;
}

candidate& routing_table::add_candidate(candidate_list& to, const routed_agent& a, std::string note,
                                        time_point now) {
  auto& each = to.best.emplace_back();
  each.agent = a.record.key;
  each.note = std::move(note);
  each.eligible = each.note.empty();
  each.in_flight = a.in_flight;
  each.max_concurrency = a.limit(now);
  each.success_rate = a.success_rate();
  each.latency_ms = a.latency_us / 1'000;
  return each;
}

/// Of a choice: those that were looked at, and some others if there is room.
candidate_list routing_table::candidates_of(const placement_request& request,
                                            const routed_role& role,
                                            const routed_role::choice& choice,
                                            time_point now) const {
  candidate_list result;
  result.policy = options_->policy_of(request.role);
  // Of a large fleet those that were looked at: which others stand here would be chance.
  auto all = role.pool.agents().size() <= max_candidates;
  result.best.reserve(all ? role.pool.agents().size() : choice.options.size());
  for (const auto& option : choice.options) {
    if (result.best.size() == max_candidates)
      break;
    auto chosen = option.agent == choice.agent;
    std::string note; // they all could have it
    if (option.reserved && !chosen)
      note = "is left to tasks that need what it is better at";
    else if (!request.avoid.empty())
      note = note_on(request, *option.agent, now);
    auto& each = add_candidate(result, *option.agent, std::move(note), now);
    each.terms = option.terms;
    each.chosen = chosen;
    each.eligible = chosen || each.note.empty();
  }
  for (auto other = role.pool.agents().begin(); all && other != role.pool.agents().end(); ++other) {
    auto same = [&](const auto& option) { return option.agent == &other->second; };
    if (std::none_of(choice.options.begin(), choice.options.end(), same))
      add_candidate(result, other->second, note_on(request, other->second, now), now);
  }
  result.omitted = static_cast<std::uint32_t>(role.pool.agents().size() - result.best.size());
  return result;
}

/// Of a request that waits: looks at all agents, as nothing but a question asks for it.
candidate_list routing_table::candidates_for(const placement_request& request,
                                             const routed_role& role, time_point now) const {
  const auto* home = role.home_of(request, now);
  struct seen {
    const routed_agent* agent;
    bool fits;
    score_terms terms;
  };
  std::vector<seen> all;
  auto class_us = role.latency.class_mean(request.task_class);
  for (const auto& [key, a] : role.pool.agents())
    all.push_back({&a, a.usable(now) && a.free_slot(now) && a.has(request.skills),
                   role.score(request, a, home, class_us, now)});
  auto better = [](const seen& a, const seen& b) {
    return a.fits != b.fits ? a.fits : a.terms.score < b.terms.score;
  };
  auto count = std::min(all.size(), max_candidates);
  std::partial_sort(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(count), all.end(),
                    better);
  candidate_list result;
  result.policy = options_->policy_of(request.role);
  result.omitted = static_cast<std::uint32_t>(all.size() - count);
  for (std::size_t i = 0; i < count; ++i) {
    auto& each = add_candidate(result, *all[i].agent, note_on(request, *all[i].agent, now), now);
    if (result.policy == routing_policy::adaptive)
      each.terms = all[i].terms;
  }
  return result;
}

/// Whether a cap or a rate is what it waits for.
bool routing_table::find_limit(const placement_request& request, const routed_role& role,
                               time_point now, wait_explanation& into) const {
  auto key = keys_.find(request.fairness_key);
  auto key_name = key_text(request.fairness_key);
  auto say = [&](wait_reason reason, std::string limit, std::optional<time_point> until = {}) {
    into.reason = reason;
    into.limit = std::move(limit);
    if (until)
      into.until = left(*until, now);
    return true;
  };
  if (full()) {
    into.reason = wait_reason::bounded;
    return true;
  }
  auto role_text = "the role \"" + request.role.str() + "\"";
  auto role_key = "roles." + request.role.str() + ".limit";
  auto key_limit = options_->key_limits.contains(request.fairness_key) ? "routing.key_limits"
                                                                       : "routing.key_limit";
  if (role.gate.at_cap())
    return say(wait_reason::role_cap, cap_text(role_text, role.gate.limit(), role_key));
  if (auto open = role.gate.closed_until(now))
    return say(wait_reason::rate_limit, rate_text(role_text, role.gate.limit(), role_key), open);
  if (key != keys_.end()) {
    if (key->second.at_cap())
      return say(wait_reason::key_cap, cap_text(key_name, key->second.limit(), key_limit));
    if (auto open = key->second.closed_until(now))
      return say(wait_reason::rate_limit, rate_text(key_name, key->second.limit(), key_limit),
                 open);
  }
  return false;
}

void routing_table::find_reason(const placement_request& request, const routed_role& role,
                                time_point now, wait_explanation& into) const {
  std::vector<const routed_agent*> left_over;
  for (const auto& [key, a] : role.pool.agents())
    left_over.push_back(&a);
  auto first = [&](auto when) {
    std::optional<time_point> earliest;
    for (const auto* a : left_over)
      if (std::optional<time_point> at = when(*a); at && (!earliest || *at < *earliest))
        earliest = at;
    return earliest ? left(*earliest, now) : millis{0};
  };
  // What keeps the last ones out is what the task waits for.
  auto keep = [&](auto good) {
    auto before = left_over;
    std::erase_if(left_over, [&](const auto* a) { return !good(*a); });
    if (!left_over.empty())
      return true;
    left_over = std::move(before);
    return false;
  };
  auto say = [&](wait_reason reason, millis until = millis{0}) {
    into.reason = reason;
    into.until = until;
  };
  if (left_over.empty())
    return say(wait_reason::no_agent);
  if (!keep([&](const auto& a) { return a.has(request.skills); }))
    return say(wait_reason::lacks_skill);
  if (!keep([](const auto& a) { return a.record.state != agent_state::draining; }))
    return say(wait_reason::draining);
  if (!keep([](const auto& a) { return !a.suspect; }))
    return say(wait_reason::suspect);
  if (!keep([](const auto& a) { return a.record.state == agent_state::ready; }))
    return say(wait_reason::unhealthy, first([](const auto& a) { return a.next_check; }));
  if (find_limit(request, role, now, into))
    return;
  if (!keep([&](const auto& a) { return a.parked_until <= now; }))
    return say(wait_reason::parked, first([](const auto& a) { return a.parked_until; }));
  if (!keep([&](const auto& a) { return !a.health.ejected(now); }))
    return say(wait_reason::ejected, first([](const auto& a) { return a.health.ejected_until(); }));
  if (!keep([&](const auto& a) { return a.free_slot(now); }))
    return say(wait_reason::at_limit);
  if (!keep([&](const auto& a) { return !a.gate.closed_until(now); })) {
    into.limit =
        rate_text("each agent of the role \"" + request.role.str() + "\"",
                  left_over.front()->gate.limit(), "roles." + request.role.str() + ".agent_limit");
    return say(wait_reason::rate_limit,
               first([&](const auto& a) { return a.gate.closed_until(now); }));
  }
  // A free agent that it was tried on before is not what it waits for, as long as there are others.
  auto fresh = [&](const auto& a) { return note_on(request, a, now).empty(); };
  if (keep(fresh)) {
    if (auto reserve = left_to_others(role, request); reserve && reserve->full) {
      into.limit = share_text(request, *reserve);
      return say(wait_reason::fair_share);
    }
    auto until = role.held.until(request.task);
    return say(wait_reason::better_soon, until ? left(*until, now) : millis{0});
  }
  say(wait_reason::at_limit);
}

} // namespace rolecall
