// What can be asked of the routing table, without a change to it.
#include "actors/router/routing_table.hpp"

#include <cmath>

namespace rolecall {

namespace {

constexpr std::size_t max_candidates = 16;

millis left(routing_table::time_point until, routing_table::time_point now) {
  return std::max(millis{0}, std::chrono::ceil<millis>(until - now));
}

} // namespace

std::optional<routing_table::time_point> routing_table::next_due() const {
  return parks_.empty() ? std::nullopt : std::optional{parks_.begin()->first};
}

std::vector<agent_key> routing_table::idle(const role_name& role, millis at_least, time_point now) {
  std::vector<agent_key> result;
  auto found = roles_.find(role);
  if (found == roles_.end())
    return result;
  demand_changed_.insert(role);
  demand_asked_.insert(role);
  for (const auto& [key, a] : found->second.agents)
    if (a.record.state == agent_state::ready && a.in_flight == 0 &&
        now - a.idle_since >= at_least)
      result.push_back(key);
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
  result.reason = reason_to_wait(request, role, now);
  result.position = static_cast<std::uint32_t>(place.position);
  result.waiting = static_cast<std::uint32_t>(role.line.size());
  result.candidates = candidates_for(request, role, nullptr, now);
  std::optional<time_point> first;
  for (const auto& [key, a] : role.agents)
    if (a.parked_until > now && (!first || a.parked_until < *first))
      first = a.parked_until;
  if (result.reason == wait_reason::parked && first)
    result.until = left(*first, now);
  return result;
}

routing_status routing_table::status(time_point now) const {
  routing_status result;
  for (const auto& [key, name] : role_of_) {
    const auto& a = roles_.at(name).agents.at(key);
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
    result.agents.push_back(std::move(load));
  }
  for (const auto& [name, role] : roles_)
    if (!role.agents.empty() || !role.line.empty() || role.running > 0) {
      auto demand = demand_of(name, role);
      demand.waiting = static_cast<std::uint32_t>(role.line.size()); // all, whatever may run
      result.roles.push_back(std::move(demand));
    }
  return result;
}

candidate_list routing_table::candidates_for(const placement_request& request,
                                             const role_state& role, const agent* chosen,
                                             time_point now) const {
  auto note = [&](const agent& a) -> std::string {
    for (const auto& skill : request.skills)
      if (!a.record.skills.contains(skill))
        return "lacks the skill \"" + skill + "\"";
    if (a.record.state == agent_state::draining)
      return "is draining";
    if (a.suspect)
      return "behaves as if it were gone";
    if (a.parked_until > now)
      return "is parked for " + std::to_string(left(a.parked_until, now).count()) + " ms";
    if (!a.free_slot())
      return "is at its limit";
    if (std::find(request.avoid.begin(), request.avoid.end(), a.record.key) != request.avoid.end())
      return "was tried before";
    return "";
  };
  std::vector<const agent*> all;
  for (const auto& [key, a] : role.agents)
    all.push_back(&a);
  auto fits = [&](const agent* a) {
    return a->usable(now) && a->free_slot() && a->has(request.skills);
  };
  auto better = [&](const agent* a, const agent* b) {
    if ((a == chosen) != (b == chosen))
      return a == chosen;
    if (fits(a) != fits(b))
      return fits(a);
    return a->merit() > b->merit();
  };
  auto count = std::min(all.size(), max_candidates);
  std::partial_sort(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(count), all.end(),
                    better);
  candidate_list result;
  result.policy = options_.policy_of(request.role);
  result.omitted = static_cast<std::uint32_t>(all.size() - count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto& a = *all[i];
    candidate each;
    each.agent = a.record.key;
    each.chosen = &a == chosen;
    each.note = note(a);
    each.eligible = each.chosen || each.note.empty();
    each.in_flight = a.in_flight;
    each.max_concurrency = a.record.max_concurrency;
    each.success_rate = a.success_rate();
    each.latency_ms = a.latency_us / 1'000;
    result.best.push_back(std::move(each));
  }
  return result;
}

wait_reason routing_table::reason_to_wait(const placement_request& request, const role_state& role,
                                          time_point now) const {
  std::vector<const agent*> left_over;
  for (const auto& [key, a] : role.agents)
    left_over.push_back(&a);
  if (left_over.empty())
    return wait_reason::no_agent;
  // What keeps the last ones out is what the task waits for.
  auto keep = [&](auto good) {
    std::erase_if(left_over, [&](const agent* a) { return !good(*a); });
    return !left_over.empty();
  };
  if (!keep([&](const agent& a) { return a.has(request.skills); }))
    return wait_reason::lacks_skill;
  if (!keep([](const agent& a) { return a.record.state == agent_state::ready; }))
    return wait_reason::draining;
  if (!keep([](const agent& a) { return !a.suspect; }))
    return wait_reason::suspect;
  if (!keep([&](const agent& a) { return a.parked_until <= now; }))
    return wait_reason::parked;
  auto bounded = options_.max_parallel != 0 && running_.size() >= options_.max_parallel;
  // A free agent that it was tried on before is not what it waits for, as long as there are others.
  return bounded ? wait_reason::bounded : wait_reason::at_limit;
}

} // namespace rolecall
