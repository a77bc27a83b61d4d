// Who gets what: the decisions of the routing table.
#include "actors/router/routing_table.hpp"

#include <tuple>

namespace rolecall {

namespace {

constexpr std::size_t min_swept_keys = 10'000;

} // namespace

std::vector<routing_table::decision> routing_table::dispatch(time_point now) {
  follow_clock(now);
  std::vector<decision> result;
  for (auto& refusal : refused_)
    result.emplace_back(std::move(refusal));
  refused_.clear();
  wake_due(now);
  if (options_->max_parallel != 0) // a slot that has become free may be for any of them
    for (const auto& [name, role] : roles_)
      if (!role.line.empty())
        changed_.insert(name);
  std::vector<std::pair<const role_name*, routed_role*>> roles;
  for (const auto& name : changed_)
    if (auto found = roles_.find(name); found != roles_.end()) {
      roles.emplace_back(&found->first, &found->second);
      found->second.line.look_again();
      found->second.room.follow(now);
    }
  changed_.clear();
  auto place = [&](routed_role& role, const proposal& next) {
    result.emplace_back(settle(role, *next.request, next.choice, now));
    leave_line(role, *next.request);
  };
  if (options_->max_parallel == 0) {
    for (auto [name, role] : roles) {
      place_newcomer(*name, *role, now, result);
      for (auto next = propose(*name, *role, now); next.request; next = propose(*name, *role, now))
        place(*role, next);
    }
  } else {
    while (!full()) {
      proposal best;
      routed_role* of = nullptr;
      for (auto [name, role] : roles)
        if (auto next = propose(*name, *role, now); next.request) {
          auto rank = [](const placement_request& r) { return std::tuple{-r.priority, r.age}; };
          if (!best.request || rank(*next.request) < rank(*best.request)) {
            best = std::move(next);
            of = role;
          }
        }
      if (!of)
        break;
      place(*of, best);
    }
  }
  for (auto [name, role] : roles) {
    dispatch_hedges(*role, now, result);
    for (auto due : {role->pool.next_due(), role->held.next_due()})
      if (due)
        wake_at(*name, *role, *due);
  }
  tell_lines(now);
  return result;
}

/// A clock that goes back must not make anything last longer than it may.
void routing_table::follow_clock(time_point now) {
  if (now < last_now_) {
    wakes_.clear();
    for (auto& [name, role] : roles_) {
      role.clock_went_back(last_now_, now);
      changed_.insert(name);
    }
    key_wakes_.clear();
    for (auto& [key, gate] : keys_) {
      gate.no_later_than(now);
      release_key(key);
    }
  }
  last_now_ = now;
}

void routing_table::wake_due(time_point now) {
  for (; !wakes_.empty() && wakes_.begin()->first <= now; wakes_.erase(wakes_.begin())) {
    auto role = roles_.find(wakes_.begin()->second);
    if (role == roles_.end())
      continue;
    role->second.wake.reset();
    role->second.pool.refresh_due(now);
    role->second.bring_back_due(now);
    changed_.insert(role->first);
    demand_changed_.insert(role->first);
  }
  while (!key_wakes_.empty() && key_wakes_.begin()->first <= now)
    release_key(key_wakes_.extract(key_wakes_.begin()).value().second);
}

void routing_table::wake_at(const role_name& name, routed_role& role, time_point at) {
  if (role.wake && *role.wake <= at)
    return;
  if (role.wake)
    wakes_.erase({*role.wake, name});
  role.wake = at;
  wakes_.insert({at, name});
}

routing_table::proposal routing_table::propose(const role_name& name, routed_role& role,
                                               time_point now) {
  proposal result;
  if (!role.line.empty() && may_start(name, role, now))
    result.request = role.line.next([&](const placement_request& request) {
      return look_at(request, name, role, now, result.choice);
    });
  return result;
}

/// Whether the role's limits and its agents let anything start.
bool routing_table::may_start(const role_name& name, routed_role& role, time_point now) {
  if (role.gate.at_cap())
    return false;
  if (auto open = role.gate.closed_until(now)) {
    wake_at(name, role, *open); // also without an agent: one is asked for then
    return false;
  }
  return role.pool.free() > 0;
}

/// Whether a request can start now, and on whom.
fit routing_table::look_at(const placement_request& request, const role_name& name,
                           routed_role& role, time_point now, routed_role::choice& choice) {
  if (!key_may_start(request.fairness_key, now))
    return fit::held;
  auto yields = left_to_others(role, request);
  if (yields && yields->full) {
    wake_at(name, role, role.room.next_change());
    return fit::greedy;
  }
  choice = role.choose(request, chance_, now, yields.has_value());
  if (choice.agent)
    return fit::yes;
  if (!choice.wait_until)
    return fit::no;
  wake_at(name, role, *choice.wait_until);
  return choice.aside ? fit::aside : fit::wait;
}

/// Who finds nobody waiting gets its agent without a place in the line, if there is one.
void routing_table::place_newcomer(const role_name& name, routed_role& role, time_point now,
                                   std::vector<decision>& out) {
  if (!role.newcomer)
    return;
  routed_role::choice choice;
  auto placed =
      may_start(name, role, now) && look_at(*role.newcomer, name, role, now, choice) == fit::yes;
  if (placed)
    out.emplace_back(settle(role, *role.newcomer, choice, now));
  auto request = *std::exchange(role.newcomer, std::nullopt);
  role.held.forget(request.task); // it has its agent, or the line looks at it anew
  if (placed)
    return role.line.passed_by(request);
  wait_in_line(role, std::move(request));
}

/// A request of the line has its agent.
void routing_table::leave_line(routed_role& role, const placement_request& request) {
  waiting_in_.erase(request.task);
  role.held.forget(request.task);
  role.line.taken(request);
}

void routing_table::wait_in_line(routed_role& role, placement_request request) {
  waiting_in_.insert_or_assign(request.task, request.role);
  role.line.push(std::move(request));
}

/// A hedge goes now or not at all.
void routing_table::dispatch_hedges(routed_role& role, time_point now, std::vector<decision>& out) {
  for (const auto& request : std::exchange(role.hedges, {})) {
    auto may = !full() && !role.gate.at_cap() && !role.gate.closed_until(now) &&
               key_may_start(request.fairness_key, now) && !left_to_others(role, request);
    auto choice = may ? role.choose(request, chance_, now) : routed_role::choice{};
    if (choice.agent)
      out.emplace_back(settle(role, request, choice, now));
    else
      out.emplace_back(placement_refused{
          request.task,
          request.attempt,
          {ec::agent_busy,
           "no other agent has a free slot for a second attempt beside the first"}});
  }
}

placement routing_table::settle(routed_role& role, const placement_request& request,
                                const routed_role::choice& choice, time_point now) {
  auto& a = *choice.agent;
  placement result{request.task, request.attempt, a.record,
                   candidates_of(request, role, choice, now)};
  running_.insert_or_assign({request.task, request.attempt},
                            running{a.record.key, request.role, role.start(request, a),
                                    request.fairness_key, request.priority, request.hedge,
                                    !is_own(a.record.key), false});
  role.gate.started(now);
  role.room.started({request.priority, request.fairness_key},
                    role.situation_of(request.priority, request.fairness_key), now);
  if (auto* gate = gate_of(request.fairness_key, now))
    gate->started(now);
  key_changed(request.fairness_key);
  role.follow_load(now);
  role.pool.started(a, now);
  note_use(a);
  ++(request.hedge ? role.hedging : is_own(a.record.key) ? role.running : role.away);
  role.peak = std::max(role.peak, role.running);
  demand_changed_.insert(request.role);
  return result;
}

/// If its key is greedy: what it leaves to others, if there are any.
std::optional<headroom::reserve> routing_table::left_to_others(const routed_role& role,
                                                               const placement_request& request) {
  if (role.pool.slots() == 0)
    return std::nullopt; // nobody knows yet how many there are, and that is found by filling them
  auto now_is = role.situation_of(request.priority, request.fairness_key);
  if (!role.room.is_greedy({request.priority, request.fairness_key}, now_is))
    return std::nullopt;
  return role.room.left_to_others(request.priority, now_is);
}

/// Null if nothing limits the key.
start_gate* routing_table::gate_of(const std::string& fairness_key, time_point now) {
  if (!options_->limits_keys())
    return nullptr;
  if (auto found = keys_.find(fairness_key); found != keys_.end())
    return &found->second;
  auto own = options_->key_limits.find(fairness_key);
  const auto& limit = own == options_->key_limits.end() ? options_->key_limit : own->second;
  if (!limit.any())
    return nullptr;
  if (keys_.size() >= sweep_keys_at_) {
    std::erase_if(keys_, [&](const auto& entry) { return entry.second.is_fresh(now); });
    sweep_keys_at_ = std::max(min_swept_keys, 2 * keys_.size()); // each is looked at twice or so
  }
  return &keys_.emplace(fairness_key, start_gate{limit}).first->second;
}

bool routing_table::key_may_start(const std::string& fairness_key, time_point now) {
  auto* gate = gate_of(fairness_key, now);
  if (!gate)
    return true;
  if (gate->at_cap())
    return false;
  auto open = gate->closed_until(now);
  if (open)
    key_wakes_.insert({*open, fairness_key});
  return !open;
}

/// An attempt of the key has ended.
void routing_table::end_of_key(routed_role& role, const running& run, time_point now) {
  role.room.ended({run.priority, run.fairness_key},
                  role.situation_of(run.priority, run.fairness_key), now);
  if (auto* gate = gate_of(run.fairness_key, now)) {
    gate->ended();
    release_key(run.fairness_key);
  }
}

/// Has the waiting lines know how many of each key may start, and whoever asks for agents with
/// them.
void routing_table::tell_lines(time_point now) {
  for (const auto& key : std::exchange(keys_changed_, {}))
    if (const auto* gate = gate_of(key, now)) {
      auto open = gate->closed_until(now);
      for (auto& [name, role] : roles_) {
        if (role.line.allow(key, gate->may_start(now)))
          demand_changed_.insert(name);
        if (open && role.line.has_key(key)) // also without an agent: one is asked for then
          key_wakes_.insert({*open, key});
      }
    }
}

void routing_table::key_changed(const std::string& fairness_key) {
  if (options_->limits_keys())
    keys_changed_.insert(fairness_key);
}

void routing_table::release_key(const std::string& fairness_key) {
  key_changed(fairness_key);
  for (auto& [name, role] : roles_)
    if (!role.line.empty()) {
      role.line.release(fairness_key);
      changed_.insert(name);
    }
}

} // namespace rolecall
