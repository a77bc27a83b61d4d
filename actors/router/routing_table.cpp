#include "actors/router/routing_table.hpp"

#include <algorithm>

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

// -- what is told
// ------------------------------------------------------------------------------------

void routing_table::reset(const agent_snapshot& snapshot, time_point now) {
  change(agents_told_.on_snapshot(snapshot), now);
}

bool routing_table::apply(const agent_event& event, time_point now) {
  auto what = agents_told_.on_event(event);
  change(what, now);
  return !what.gap;
}

void routing_table::change(const agent_follower::changes& what, time_point now) {
  for (const auto& key : what.remove)
    remove(key);
  for (const auto& record : what.put)
    insert(record, now);
}

void routing_table::learn(role_directory directory) {
  directory_ = std::move(directory);
  learn_offers();
}

void routing_table::learn_offers() {
  offered_.clear();
  auto add = [&](const std::vector<role_offer>& offers) {
    for (const auto& offer : offers) {
      auto& skills = offered_[offer.role];
      for (const auto& [skill, proficiency] : offer.skills)
        skills.insert(skill);
    }
  };
  add(directory_.offers);
  for (const auto& peer : peer_offers_.nodes)
    add(peer.offers);
  for (const auto& [name, role] : roles_) {
    refuse_hopeless(name);
    demand_changed_.insert(name); // it may be forgotten
  }
}

void routing_table::place(placement_request request) {
  auto refuse = [&](failure why) {
    refused_.push_back({request.task, request.attempt, std::move(why)});
  };
  if (waiting_in_.size() >= options_->max_waiting)
    return refuse({ec::queue_full, "the waiting line is full (" +
                                       std::to_string(options_->max_waiting) + " tasks)"});
  if (auto why = hopeless(request.role, request.skills))
    return refuse(*why);
  // What it was tried on and is gone need not be avoided any more.
  std::erase_if(request.avoid, [&](const auto& key) { return !agents_.contains(key); });
  auto& role = role_of(request.role);
  changed_.insert(request.role);
  if (request.hedge) {
    role.hedges.push_back(std::move(request));
    return;
  }
  ++role.asked;
  demand_changed_.insert(request.role);
  key_changed(request.fairness_key);
  if (role.newcomer) // it is one no longer
    wait_in_line(role, *std::exchange(role.newcomer, std::nullopt));
  if (role.line.empty() && request.avoid.empty() && options_->max_parallel == 0)
    role.newcomer = std::move(request);
  else
    wait_in_line(role, std::move(request));
}

bool routing_table::withdraw(const task_id& task) {
  auto found = waiting_in_.extract(task);
  if (found.empty())
    return false;
  auto& role = role_of(found.mapped());
  role.line.remove(task);
  role.held.forget(task);
  changed_.insert(found.mapped()); // what waited behind it may have another reason to
  demand_changed_.insert(found.mapped());
  return true;
}

void routing_table::finished(const attempt_outcome& outcome, time_point now) {
  auto found = running_.extract({outcome.task, outcome.attempt});
  if (found.empty())
    return;
  follow_clock(now);
  const auto& run = found.mapped();
  auto& role = role_of(run.role);
  --(run.hedge ? role.hedging : run.away ? role.away : role.running);
  if (!run.away && (outcome.verdict == verdict::completed || outcome.verdict == verdict::failed)) {
    ++role.ended;
    role.worked += outcome.elapsed;
  }
  role.gate.ended();
  changed_.insert(run.role);
  demand_changed_.insert(run.role);
  if (run.admitted)
    --role.admitted;
  else
    end_of_key(role, run, now);
  auto* a = find(run.agent);
  if (!a) {
    if (auto count = orphans_.find(run.agent); count != orphans_.end() && --count->second == 0)
      orphans_.erase(count);
    return;
  }
  auto& home = role_of(a->record.role);
  home.follow_load(now);
  home.learn(*a, outcome, run.what, now);
  if (outcome.agent_gone)
    suspect(*a, outcome.error.kind, now);
  home.pool.ended(*a, now);
  note_use(*a);
  home.bring_back(run.agent);
  check_drained(*a);
}

/// An agent behaves as if it were gone. No connection means that its service is, and all its agents
/// with it: a task must not use up its attempts on them one after the other.
void routing_table::suspect(routed_agent& a, ec why, time_point now) {
  if (why == ec::connect_failed && !a.suspect)
    suspect_service(a.record.key.service, now);
  a.suspect = true;
  suspects_.push_back(a.record.key);
}

void routing_table::suspect_service(const service_name& service, time_point now) {
  for (auto& [name, role] : roles_)
    for (auto& [key, a] : role.pool.agents())
      if (key.service == service && !a.suspect) {
        a.suspect = true;
        role.pool.refresh(a, now);
      }
}

void routing_table::unavailable(const role_unavailable& news) {
  auto found = roles_.find(news.role);
  if (found == roles_.end())
    return;
  auto& role = found->second;
  auto there = std::any_of(role.pool.agents().begin(), role.pool.agents().end(), [](const auto& e) {
    return e.second.record.state != agent_state::draining && !e.second.suspect;
  });
  if (there)
    return; // one has come up in the meantime, or may be well again
  role.line.for_each([&](const placement_request& request) {
    refused_.push_back({request.task, request.attempt, news.error});
    waiting_in_.erase(request.task);
    role.held.forget(request.task);
  });
  role.line.clear();
  demand_changed_.insert(news.role);
}

// -- what comes of it
// --------------------------------------------------------------------------------

std::vector<role_demand> routing_table::take_demand() {
  std::vector<role_demand> result;
  for (const auto& name : demand_changed_) {
    auto& role = role_of(name);
    auto demand = demand_of(name, role, last_now_);
    split(demand, role);
    // While nobody waits, what runs is told only when somebody looks: not for each task. It is the
    // most since the last look then, so that short tasks are not overlooked.
    auto asked = demand_asked_.contains(name);
    if (asked && demand.waiting == 0)
      demand.running = std::exchange(role.peak, role.running);
    if (demand == role.told || (demand.waiting == 0 && role.told.waiting == 0 && !asked))
      continue;
    role.told = demand;
    result.push_back(demand);
  }
  demand_asked_.clear();
  for (const auto& name : demand_changed_)
    forget_if_unused(name);
  demand_changed_.clear();
  return result;
}

/// A role is remembered for its agents and its work, and for what was learnt of it while there is
/// somebody who offers it; who knows what roles there are is the directory.
void routing_table::forget_if_unused(const role_name& name) {
  const auto& role = roles_.at(name);
  auto learnt = role.pool.slots() > 0 && offered_.contains(name);
  if (role.pool.empty() && role.line.empty() && role.hedges.empty() && role.running == 0 &&
      role.away == 0 && role.hedging == 0 && !learnt)
    roles_.erase(name);
}

std::vector<agent_key> routing_table::take_drained() {
  return std::exchange(drained_, {});
}

std::vector<agent_key> routing_table::take_suspects() {
  return std::exchange(suspects_, {});
}

// -- inside
// ------------------------------------------------------------------------------------------

routed_role& routing_table::role_of(const role_name& name) {
  return roles_.try_emplace(name, name, options_).first->second;
}

routed_agent* routing_table::find(const agent_key& key) {
  auto found = agents_.find(key);
  return found == agents_.end() ? nullptr : found->second;
}

void routing_table::insert(const agent_record& record, time_point now) {
  auto* known = find(record.key);
  if (known && known->record.role != record.role) {
    remove(record.key);
    known = nullptr;
  }
  auto& role = role_of(record.role);
  auto& a = role.pool.put(record);
  if (!known) {
    agents_[record.key] = &a;
    a.idle_since = now;
    a.progress_at = now;
    if (auto limit = options_->agent_limits.find(record.role);
        limit != options_->agent_limits.end())
      a.gate = start_gate{limit->second};
    if (auto count = orphans_.extract(record.key); !count.empty())
      role.pool.resume(a, count.mapped()); // it was here before: its slots are still held
    note_use(a);
  }
  a.suspect = false;
  a.drain_told = a.drain_told && record.state == agent_state::draining;
  role.pool.refresh(a, now);
  check_drained(a);
  changed_.insert(record.role);
  demand_changed_.insert(record.role);
}

void routing_table::remove(const agent_key& key) {
  auto found = agents_.extract(key);
  if (found.empty())
    return;
  const auto& a = *found.mapped();
  auto name = a.record.role;
  if (auto held = a.in_flight - a.others; held > 0)
    orphans_[key] = held;
  if (telling_uses_ && is_own(key))
    uses_[key] = 0;
  auto& role = roles_.at(name);
  role.bring_back(key);
  role.pool.erase(key);
  changed_.insert(name); // what avoided the others because of this one need not any more
  demand_changed_.insert(name);
  refuse_hopeless(name);
}

void routing_table::check_drained(routed_agent& a) {
  if (a.record.state != agent_state::draining || a.in_flight != 0 || a.drain_told)
    return;
  a.drain_told = true;
  drained_.push_back(a.record.key);
}

std::optional<failure> routing_table::hopeless(const role_name& name,
                                               const std::vector<std::string>& needed) const {
  if (!directory_.complete || !peer_offers_.complete)
    return std::nullopt;
  auto offer = offered_.find(name);
  auto role = roles_.find(name);
  const auto* pool =
      role == roles_.end() || role->second.pool.empty() ? nullptr : &role->second.pool;
  if (offer == offered_.end() && !pool)
    return failure{ec::unknown_role,
                   "no service offers the role \"" + name.str() + "\"; there are: " +
                       list_of(offered_, [](const auto& o) { return o.first.str(); })};
  auto there_is = [&](const std::string& skill) {
    return (offer != offered_.end() && offer->second.contains(skill)) ||
           (pool && pool->has_skill(skill));
  };
  for (const auto& skill : needed)
    if (!there_is(skill)) {
      std::set<std::string> skills;
      if (offer != offered_.end())
        skills = offer->second;
      if (pool)
        for (const auto& [known, count] : pool->skills())
          skills.insert(known);
      return failure{ec::unknown_skill, "no agent of the role \"" + name.str() +
                                            "\" has the skill \"" + skill + "\"; there are: " +
                                            list_of(skills, [](const auto& text) { return text; })};
    }
  return std::nullopt;
}

void routing_table::refuse_hopeless(const role_name& name) {
  auto& role = role_of(name);
  std::map<std::vector<std::string>, failure> reasons;
  for (const auto& [skills, count] : role.line.skill_sets())
    if (auto why = hopeless(name, skills))
      reasons.emplace(skills, std::move(*why));
  if (reasons.empty())
    return;
  auto before = refused_.size();
  role.line.for_each([&](const placement_request& request) {
    if (auto why = reasons.find(request.skills); why != reasons.end())
      refused_.push_back({request.task, request.attempt, why->second});
  });
  for (auto i = before; i < refused_.size(); ++i)
    if (role.line.remove(refused_[i].task)) {
      waiting_in_.erase(refused_[i].task);
      role.held.forget(refused_[i].task);
    }
}

/// What a limit on attempts holds is no reason for another agent: it would find nothing to do.
role_demand routing_table::demand_of(const role_name& name, const routed_role& role,
                                     time_point now) const {
  auto running = role.running + role.away;
  auto wanted = std::min(role.line.may_start(), role.gate.may_start(now)) + running;
  if (options_->max_parallel != 0)
    wanted = std::min(wanted, options_->max_parallel);
  auto waiting = wanted > running ? wanted - running : 0;
  std::uint32_t unmatched = 0;
  if (!role.pool.empty()) // nobody is there at all: that they wait says it
    for (const auto& [skills, count] : role.line.skill_sets())
      unmatched += role.pool.any_ready(skills) ? 0 : static_cast<std::uint32_t>(count);
  auto known = role.pool.slots() > 0;
  auto slots = known ? role.pool.slots() : role.pool.empty() ? 0 : role.pool.mean_limit();
  return {name,         static_cast<std::uint32_t>(waiting),
          role.running, std::min(unmatched, static_cast<std::uint32_t>(waiting)),
          slots,        known,
          role.asked,   role.ended,
          role.worked};
}

} // namespace rolecall
