#include "actors/router/routing_table.hpp"

#include <algorithm>
#include <tuple>

namespace rolecall {

namespace {

/// "a, b, c", at most ten of them.
template <class Range, class Text>
std::string list_of(const Range& range, Text text) {
  std::string result;
  std::size_t count = 0;
  for (const auto& item : range) {
    if (++count > 10)
      return result + ", ...";
    result += (result.empty() ? "" : ", ") + text(item);
  }
  return result.empty() ? "none" : result;
}

} // namespace

bool routing_table::agent::has(const std::vector<std::string>& skills) const {
  return std::all_of(skills.begin(), skills.end(),
                     [&](const auto& skill) { return record.skills.contains(skill); });
}

bool routing_table::agent::usable(time_point now) const {
  return record.state == agent_state::ready && !suspect && parked_until <= now;
}

double routing_table::agent::success_rate() const {
  return ended == 0 ? 1.0 : static_cast<double>(succeeded) / static_cast<double>(ended);
}

// -- what is told
// ------------------------------------------------------------------------------------

void routing_table::reset(const agent_snapshot& snapshot, time_point now) {
  std::set<agent_key> present;
  for (const auto& record : snapshot.agents)
    present.insert(record.key);
  std::vector<agent_key> gone;
  for (const auto& [key, role] : role_of_)
    if (!present.contains(key))
      gone.push_back(key);
  for (const auto& key : gone)
    remove(key);
  for (const auto& record : snapshot.agents)
    insert(record, now);
  sequence_ = snapshot.sequence;
}

bool routing_table::apply(const agent_event& event, time_point now) {
  if (event.sequence <= sequence_)
    return true; // known from the snapshot
  if (event.sequence != sequence_ + 1)
    return false;
  sequence_ = event.sequence;
  if (event.change == agent_change::down)
    remove(event.agent.key);
  else
    insert(event.agent, now);
  return true;
}

void routing_table::learn(role_directory directory) {
  directory_ = std::move(directory);
  for (const auto& [name, role] : roles_)
    refuse_hopeless(name);
}

void routing_table::place(placement_request request) {
  auto refuse = [&](failure why) {
    refused_.push_back({request.task, request.attempt, std::move(why)});
  };
  if (waiting_in_.size() >= options_.max_waiting)
    return refuse({ec::queue_full, "the waiting line is full (" +
                                       std::to_string(options_.max_waiting) + " tasks)"});
  if (auto why = hopeless(request.role, request.skills))
    return refuse(*why);
  auto name = request.role;
  waiting_in_[request.task] = name;
  roles_[name].line.push(std::move(request));
  changed_.insert(name);
  demand_changed_.insert(name);
}

bool routing_table::withdraw(const task_id& task) {
  auto found = waiting_in_.extract(task);
  if (found.empty())
    return false;
  roles_[found.mapped()].line.remove(task);
  demand_changed_.insert(found.mapped());
  return true;
}

void routing_table::finished(const attempt_outcome& outcome, time_point now) {
  auto found = running_.find(outcome.task);
  if (found == running_.end() || found->second.attempt != outcome.attempt)
    return;
  auto [key, name, attempt] = found->second;
  running_.erase(found);
  auto& role = roles_[name];
  --role.running;
  changed_.insert(name);
  demand_changed_.insert(name);
  auto* a = find(key);
  if (!a)
    return;
  --a->in_flight;
  if (a->in_flight == 0)
    a->idle_since = now;
  if (outcome.verdict == verdict::completed) {
    auto sample = static_cast<double>(outcome.elapsed.count());
    a->latency_us = a->succeeded == 0 ? sample : 0.8 * a->latency_us + 0.2 * sample;
    ++a->succeeded;
    ++a->ended;
  } else if (outcome.verdict == verdict::retryable) {
    ++a->ended;
  }
  if (!outcome.error.code.empty() && outcome.verdict != verdict::canceled) {
    a->last_error = outcome.error;
    a->last_error_at = now;
  }
  if (outcome.error.kind == ec::agent_busy || outcome.park > millis{0}) {
    auto park = outcome.park > millis{0} ? outcome.park : options_.default_park;
    a->parked_until = std::max(a->parked_until, now + std::min(park, options_.max_park));
    parks_.emplace(a->parked_until, name);
  }
  if (outcome.agent_gone) {
    // No connection means that the service is gone, and all its agents with it: a task must not
    // use up its attempts on them one after the other.
    auto whole_service = outcome.error.kind == ec::connect_failed;
    for (auto& [other_name, other_role] : roles_)
      for (auto& [other_key, other] : other_role.agents)
        if (other_key == key || (whole_service && other_key.service == key.service))
          other.suspect = true;
    suspects_.push_back(key);
  }
  check_drained(*a);
}

void routing_table::unavailable(const role_unavailable& news) {
  auto found = roles_.find(news.role);
  if (found == roles_.end())
    return;
  auto& [name, role] = *found;
  auto ready = std::any_of(role.agents.begin(), role.agents.end(), [](const auto& entry) {
    return entry.second.record.state == agent_state::ready && !entry.second.suspect;
  });
  if (ready)
    return; // one has come up in the meantime
  role.line.for_each([&](const placement_request& request) {
    refused_.push_back({request.task, request.attempt, news.error});
  });
  role.line.for_each([&](const placement_request& request) { waiting_in_.erase(request.task); });
  role.line = {};
  demand_changed_.insert(name);
}

// -- what comes of it
// --------------------------------------------------------------------------------

std::vector<routing_table::decision> routing_table::dispatch(time_point now) {
  std::vector<decision> result;
  for (auto& refusal : refused_)
    result.emplace_back(std::move(refusal));
  refused_.clear();
  for (; !parks_.empty() && parks_.begin()->first <= now; parks_.erase(parks_.begin()))
    changed_.insert(parks_.begin()->second);
  if (options_.max_parallel != 0) // a slot that has become free may be for any of them
    for (const auto& [name, role] : roles_)
      if (!role.line.empty())
        changed_.insert(name);
  std::erase_if(changed_, [&](const auto& name) { return !has_room(roles_[name], now); });
  while (options_.max_parallel == 0 || running_.size() < options_.max_parallel) {
    role_state* best_role = nullptr;
    const placement_request* best = nullptr;
    for (auto name = changed_.begin(); name != changed_.end();) {
      auto& role = roles_[*name];
      const auto* request = role.line.first(
          [&](const auto& candidate) { return !free_for(candidate, role, now).empty(); });
      if (!request) {
        name = changed_.erase(name);
        continue;
      }
      using rank = waiting_line::rank;
      if (!best || rank{request->priority, request->age} < rank{best->priority, best->age}) {
        best = request;
        best_role = &role;
      }
      ++name;
    }
    if (!best)
      break;
    auto request = *best;
    auto* a = choose(free_for(request, *best_role, now), request.role, *best_role);
    auto candidates = candidates_for(request, *best_role, a, now);
    settle(*best_role, request, *a);
    if (!has_room(*best_role, now))
      changed_.erase(request.role);
    result.emplace_back(placement{request.task, request.attempt, a->record, std::move(candidates)});
  }
  changed_.clear();
  return result;
}

std::vector<role_demand> routing_table::take_demand() {
  std::vector<role_demand> result;
  for (const auto& name : demand_changed_) {
    auto& role = roles_[name];
    auto demand = demand_of(name, role);
    // While nobody waits, what runs is told only when somebody looks: not for each task.
    if (demand == role.told ||
        (demand.waiting == 0 && role.told.waiting == 0 && !demand_asked_.contains(name)))
      continue;
    role.told = demand;
    result.push_back(demand);
  }
  demand_asked_.clear();
  for (const auto& name : std::exchange(demand_changed_, {}))
    forget_if_unused(name);
  return result;
}

/// A role is remembered for its agents and its work; who knows what roles there are is the
/// directory.
void routing_table::forget_if_unused(const role_name& name) {
  const auto& role = roles_[name];
  if (role.agents.empty() && role.line.empty() && role.running == 0)
    roles_.erase(name);
}

/// Whether somebody could be given something now: if not, there is no need to look at who waits.
bool routing_table::has_room(const role_state& role, time_point now) {
  return !role.line.empty() &&
         std::any_of(role.agents.begin(), role.agents.end(), [&](const auto& entry) {
           return entry.second.usable(now) && entry.second.free_slot();
         });
}

std::vector<agent_key> routing_table::take_drained() {
  return std::exchange(drained_, {});
}

std::vector<agent_key> routing_table::take_suspects() {
  return std::exchange(suspects_, {});
}

// -- inside
// ------------------------------------------------------------------------------------------

routing_table::agent* routing_table::find(const agent_key& key) {
  auto role = role_of_.find(key);
  return role == role_of_.end() ? nullptr : &roles_[role->second].agents.at(key);
}

void routing_table::insert(const agent_record& record, time_point now) {
  auto* known = find(record.key);
  if (known && known->record.role != record.role) {
    remove(record.key);
    known = nullptr;
  }
  if (!known) {
    known = &roles_[record.role].agents[record.key];
    role_of_[record.key] = record.role;
    known->idle_since = now;
    for (const auto& [task, run] : running_) // it was here before: its slots are still held
      known->in_flight += run.agent == record.key ? 1 : 0;
  }
  known->record = record;
  known->suspect = false;
  known->drain_told = known->drain_told && record.state == agent_state::draining;
  check_drained(*known);
  changed_.insert(record.role);
  demand_changed_.insert(record.role);
}

void routing_table::remove(const agent_key& key) {
  auto role = role_of_.find(key);
  if (role == role_of_.end())
    return;
  auto name = role->second;
  roles_[name].agents.erase(key);
  role_of_.erase(role);
  changed_.insert(name); // what avoided the others because of this one need not any more
  demand_changed_.insert(name);
  refuse_hopeless(name);
}

void routing_table::check_drained(agent& a) {
  if (a.record.state != agent_state::draining || a.in_flight != 0 || a.drain_told)
    return;
  a.drain_told = true;
  drained_.push_back(a.record.key);
}

std::optional<failure> routing_table::hopeless(const role_name& name,
                                               const std::vector<std::string>& needed) const {
  if (!directory_.complete)
    return std::nullopt;
  std::set<std::string> skills;
  auto known = false;
  for (const auto& offer : directory_.offers)
    if (offer.role == name) {
      known = true;
      for (const auto& [skill, proficiency] : offer.skills)
        skills.insert(skill);
    }
  auto role = roles_.find(name);
  if (role != roles_.end())
    for (const auto& [key, a] : role->second.agents) {
      known = true;
      for (const auto& [skill, proficiency] : a.record.skills)
        skills.insert(skill);
    }
  if (!known)
    return failure{ec::unknown_role,
                   "no service offers the role \"" + name.value + "\"; there are: " +
                       list_of(directory_.offers, [](const auto& o) { return o.role.value; })};
  for (const auto& skill : needed)
    if (!skills.contains(skill))
      return failure{ec::unknown_skill, "no agent of the role \"" + name.value +
                                            "\" has the skill \"" + skill + "\"; there are: " +
                                            list_of(skills, [](const auto& text) { return text; })};
  return std::nullopt;
}

void routing_table::refuse_hopeless(const role_name& name) {
  auto& line = roles_[name].line;
  std::map<std::vector<std::string>, failure> reasons;
  for (const auto& [skills, count] : line.skill_sets())
    if (auto why = hopeless(name, skills))
      reasons.emplace(skills, std::move(*why));
  if (reasons.empty())
    return;
  auto before = refused_.size();
  line.for_each([&](const placement_request& request) {
    if (auto why = reasons.find(request.skills); why != reasons.end())
      refused_.push_back({request.task, request.attempt, why->second});
  });
  for (auto i = before; i < refused_.size(); ++i)
    if (line.remove(refused_[i].task))
      waiting_in_.erase(refused_[i].task);
}

void routing_table::settle(role_state& role, const placement_request& request, agent& a) {
  ++a.in_flight;
  ++role.running;
  running_[request.task] = {a.record.key, request.role, request.attempt};
  demand_changed_.insert(request.role);
  role.line.remove(request.task);
  waiting_in_.erase(request.task);
}

role_demand routing_table::demand_of(const role_name& name, const role_state& role) const {
  auto wanted = role.line.size() + role.running;
  if (options_.max_parallel != 0)
    wanted = std::min(wanted, options_.max_parallel);
  auto waiting = wanted > role.running ? wanted - role.running : 0;
  std::uint32_t unmatched = 0;
  for (const auto& needed : role.line.skill_sets()) {
    if (role.agents.empty())
      break; // nobody is there at all: that they wait says it
    auto matched = std::any_of(role.agents.begin(), role.agents.end(), [&](const auto& entry) {
      return entry.second.record.state == agent_state::ready && entry.second.has(needed.first);
    });
    unmatched += matched ? 0 : static_cast<std::uint32_t>(needed.second);
  }
  return {name, static_cast<std::uint32_t>(waiting), role.running, unmatched};
}

} // namespace rolecall
