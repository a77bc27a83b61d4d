// What can be asked of the book, without a change to it.
#include "actors/coordinator/task_book.hpp"

#include <algorithm>

namespace rolecall {

std::optional<task_book::time_point> task_book::next_due() const {
  std::optional<time_point> result;
  auto consider = [&](time_point due) { result = result ? std::min(*result, due) : due; };
  if (!dues_.empty())
    consider(dues_.begin()->first);
  if (!hedges_due_.empty())
    consider(hedges_due_.begin()->first);
  if (!deadlines_.empty())
    consider(deadlines_.begin()->first);
  if (!ended_.empty())
    consider(ended_.front().second + options_.retain_for);
  return result;
}

const task_record* task_book::find(const task_id& id) const {
  auto found = tasks_.find(id);
  auto seen = found != tasks_.end() && found->second.phase != phase::accepting;
  return seen ? &*found->second.record : nullptr;
}

std::optional<task_detail> task_book::describe(const task_id& id, time_point now) const {
  auto found = tasks_.find(id);
  if (found == tasks_.end() || found->second.phase == phase::accepting)
    return std::nullopt;
  const auto& t = found->second;
  task_detail result;
  result.record = t.record;
  result.spec = t.spec;
  result.timeout = timeout(t);
  result.max_attempts = rules(t).max_attempts;
  result.history = t.history;
  result.candidates = t.candidates;
  if (t.phase == phase::blocked) {
    constexpr std::size_t most = 10;
    result.blockers = t.blockers;
    for (const auto& id : t.spec->depends_on)
      if (auto needed = tasks_.find(id); needed != tasks_.end() &&
                                         needed->second.phase != phase::done &&
                                         result.blocked_by.size() < most)
        result.blocked_by.push_back(id);
  }
  if (t.phase == phase::backing_off && t.due)
    result.retry_in = std::max(millis{0}, std::chrono::duration_cast<millis>(*t.due - now));
  return result;
}

/// One that is not accepted yet is nobody's to end.
bool task_book::has_ended(const task& t) const {
  return t.phase == phase::done || t.phase == phase::recording || t.phase == phase::accepting;
}

std::vector<task_id> task_book::open_matching(const task_query& query) const {
  std::vector<task_id> result;
  for (const auto& [number, id] : order_)
    if (const auto& t = tasks_.at(id); !has_ended(t) && matches(query, *t.record))
      result.push_back(id);
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
    const auto& t = tasks_.at(next->second);
    const auto& record = *t.record;
    if (t.phase == phase::accepting || !matches(query, record))
      continue;
    result.tasks.push_back(record);
    result.tasks.back().output = {};
  }
  return result;
}

std::vector<task_record> task_book::list() const {
  std::vector<task_record> result;
  for (const auto& [number, id] : order_)
    if (const auto* record = find(id))
      result.push_back(*record);
  return result;
}

std::vector<task_event> task_book::past_events(std::size_t most) const {
  std::vector<task_event> result;
  auto add = [&](std::uint64_t number, unix_time at, const task_record& record,
                 bool hedge = false) {
    if (number != 0 && number <= told_event_)
      result.push_back({number, at, record, {}, true, hedge});
  };
  auto runs_at = [](const attempt_record& attempt, std::uint64_t event) {
    return attempt.started_event != 0 && attempt.started_event < event &&
           (attempt.ended_event == 0 || attempt.ended_event > event);
  };
  for (const auto& [number, id] : order_) {
    const auto& t = tasks_.at(id);
    auto was = *t.record; // and as it was before each of its events
    was.state = task_state::submitted;
    was.output = {};
    was.error = {};
    was.agent = {};
    was.attempts =
        t.record->attempts -
        static_cast<std::uint32_t>(std::min<std::size_t>(t.history.size(), t.record->attempts));
    was.queued = was.run = was.started_at = was.finished_at = unix_time{0};
    add(t.accepted_event, t.record->submitted_at, was);
    for (std::size_t i = 0; i < t.history.size(); ++i) {
      const auto& attempt = t.history[i];
      auto goes_on = (i > 0 && runs_at(t.history[i - 1], attempt.ended_event)) ||
                     (i + 1 < t.history.size() && runs_at(t.history[i + 1], attempt.ended_event));
      was.state = task_state::working;
      was.attempts += 1;
      was.agent = attempt.agent;
      was.started_at = attempt.started_at;
      was.queued = attempt.started_at - t.record->submitted_at;
      was.error = {};
      if (attempt.started_event != t.event)
        add(attempt.started_event, attempt.started_at, was, attempt.hedge);
      was.state = goes_on ? task_state::working : task_state::submitted;
      was.run = attempt.run;
      was.error = attempt.error;
      // One event may tell of the end of two.
      auto told_with_next =
          i + 1 < t.history.size() && t.history[i + 1].ended_event == attempt.ended_event;
      if (attempt.ended_event != t.event && !told_with_next)
        add(attempt.ended_event, attempt.started_at + attempt.run, was);
    }
    if (t.event != t.accepted_event)
      add(t.event, std::max(t.record->started_at, t.record->finished_at), *t.record);
  }
  std::sort(result.begin(), result.end(),
            [](const auto& a, const auto& b) { return a.number < b.number; });
  if (result.size() > most)
    result.erase(result.begin(), result.end() - static_cast<std::ptrdiff_t>(most));
  return result;
}

} // namespace rolecall
