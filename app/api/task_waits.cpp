#include "app/api/task_waits.hpp"

#include <algorithm>
#include <utility>

namespace rolecall::api {

void task_waits::add(std::uint64_t id, const std::vector<task_id>& tasks, time_point until) {
  if (tasks.empty()) {
    over_.push_back(id);
    return;
  }
  for (const auto& task : tasks)
    by_task_.emplace(task, id);
  waits_[id] = {{tasks.begin(), tasks.end()}, until};
  dues_.emplace(until, id);
}

void task_waits::remove(std::uint64_t id) {
  auto found = waits_.find(id);
  if (found == waits_.end())
    return;
  for (const auto& task : found->second.open)
    for (auto [at, end] = by_task_.equal_range(task); at != end;)
      at = at->second == id ? by_task_.erase(at) : std::next(at);
  dues_.erase({found->second.until, id});
  waits_.erase(found);
}

void task_waits::ended(const task_id& task) {
  auto [first, last] = by_task_.equal_range(task);
  std::vector<std::uint64_t> interested;
  for (auto at = first; at != last; ++at)
    interested.push_back(at->second);
  by_task_.erase(first, last);
  for (auto id : interested) {
    auto& open = waits_.at(id).open;
    open.erase(task);
    if (!open.empty())
      continue;
    remove(id);
    over_.push_back(id);
  }
}

std::vector<std::uint64_t> task_waits::take_over(time_point now) {
  while (!dues_.empty() && dues_.begin()->first <= now) {
    auto id = dues_.begin()->second;
    remove(id);
    over_.push_back(id);
  }
  return std::exchange(over_, {});
}

std::optional<task_waits::time_point> task_waits::next_due() const {
  if (!over_.empty())
    return time_point{};
  return dues_.empty() ? std::nullopt : std::optional{dues_.begin()->first};
}

} // namespace rolecall::api
