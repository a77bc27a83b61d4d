// What can be asked of the book, without a change to it.
#include "actors/coordinator/task_book.hpp"

#include <algorithm>

namespace rolecall {

std::optional<task_book::time_point> task_book::next_due() const {
  return dues_.empty() ? std::nullopt : std::optional{dues_.begin()->first};
}

const task_record* task_book::find(const task_id& id) const {
  auto found = tasks_.find(id);
  return found == tasks_.end() ? nullptr : &found->second.record;
}

std::optional<task_detail> task_book::describe(const task_id& id, time_point now) const {
  auto found = tasks_.find(id);
  if (found == tasks_.end())
    return std::nullopt;
  const auto& t = found->second;
  task_detail result{t.record, t.spec, t.history, t.candidates, millis{0}};
  if (t.phase == phase::backing_off && t.due)
    result.retry_in = std::max(millis{0}, std::chrono::duration_cast<millis>(*t.due - now));
  return result;
}

task_page task_book::list(const task_query& query) const {
  // So that a filter that lets little through does not hold up everybody else.
  constexpr std::size_t max_looked_at = 20'000;
  task_page result;
  std::size_t looked_at = 0;
  auto next = query.before == 0 ? order_.end() : order_.lower_bound(query.before);
  while (next != order_.begin()) {
    if (result.tasks.size() >= query.limit || ++looked_at > max_looked_at) {
      result.next = next->first; // a page more may turn out to be empty
      break;
    }
    --next;
    const auto& record = tasks_.at(next->second).record;
    if (!matches(query, record))
      continue;
    result.tasks.push_back(record);
    result.tasks.back().output = {};
  }
  return result;
}

std::vector<task_record> task_book::list() const {
  std::vector<task_record> result;
  for (const auto& [number, id] : order_)
    result.push_back(tasks_.at(id).record);
  return result;
}

} // namespace rolecall
