#include "actors/router/held_tasks.hpp"

#include <algorithm>

namespace rolecall {

std::optional<held_tasks::time_point> held_tasks::hold(const task_id& task, duration at_most,
                                                       time_point now) {
  if (tasks_.size() >= max_tasks && !tasks_.contains(task))
    return std::nullopt;
  auto& held = tasks_.try_emplace(task, hold_state{now, now}).first->second;
  leave(task, held);
  held.until = held.since + at_most;
  return held.until > now ? std::optional{held.until} : std::nullopt;
}

std::optional<held_tasks::time_point> held_tasks::put_aside(const task_id& task,
                                                            const agent_key& agent,
                                                            duration at_most, time_point now) {
  auto until = hold(task, at_most, now);
  if (until) {
    tasks_.at(task).agent = agent;
    awaited_[agent].push_back(task);
    aside_until_.emplace(*until, task);
  }
  return until;
}

void held_tasks::forget(const task_id& task) {
  auto found = tasks_.find(task);
  if (found == tasks_.end())
    return;
  leave(task, found->second);
  tasks_.erase(found);
}

void held_tasks::clear() {
  tasks_.clear();
  awaited_.clear();
  aside_until_.clear();
}

/// It is not put aside any more.
void held_tasks::leave(const task_id& task, hold_state& held) {
  if (!held.agent)
    return;
  aside_until_.erase({held.until, task});
  auto awaited = awaited_.find(*held.agent);
  std::erase(awaited->second, task);
  if (awaited->second.empty())
    awaited_.erase(awaited);
  held.agent.reset();
}

std::optional<held_tasks::time_point> held_tasks::until(const task_id& task) const {
  auto found = tasks_.find(task);
  return found == tasks_.end() ? std::nullopt : std::optional{found->second.until};
}

std::size_t held_tasks::waiting_for(const agent_key& agent) const {
  auto found = awaited_.find(agent);
  return found == awaited_.end() ? 0 : found->second.size();
}

std::vector<task_id> held_tasks::take_waiting_for(const agent_key& agent) {
  auto found = awaited_.extract(agent);
  if (found.empty())
    return {};
  for (const auto& task : found.mapped()) {
    auto& held = tasks_.at(task);
    aside_until_.erase({held.until, task});
    held.agent.reset();
  }
  return std::move(found.mapped());
}

std::vector<task_id> held_tasks::take_due(time_point now) {
  std::vector<task_id> result;
  while (!aside_until_.empty() && aside_until_.begin()->first <= now) {
    result.push_back(aside_until_.begin()->second);
    leave(result.back(), tasks_.at(result.back()));
  }
  return result;
}

std::optional<held_tasks::time_point> held_tasks::next_due() const {
  return aside_until_.empty() ? std::nullopt : std::optional{aside_until_.begin()->first};
}

} // namespace rolecall
