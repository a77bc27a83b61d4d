// What of tasks is told, put on disk, kept and forgotten, and in which order.
#include "actors/coordinator/dependencies.hpp"
#include "actors/coordinator/task_book.hpp"

#include <algorithm>

namespace rolecall {

// -- events and the journal
// ---------------------------------------------------------------------------

/// Gives the next event about a task its number. It is told once the next append is on disk.
std::uint64_t task_book::number_event(task& t, time_point now) {
  t.event = next_event_++;
  auto record = t.end ? *t.end : t.record;
  for (auto& ended : just_ended_) {
    ended.ended_event = t.event;
    if (auto* kept = attempt_of(t, ended.attempt))
      kept->ended_event = t.event;
  }
  auto started = just_ended_.empty() && !t.history.empty() && !t.history.back().ended;
  if (started)
    t.history.back().started_event = t.event;
  untold_.emplace_back(next_ticket_, task_event{t.event, wall(now), std::move(record),
                                                std::exchange(just_ended_, {}), false,
                                                started && t.history.back().hedge});
  return t.event;
}

/// Tells whoever follows tasks how this one stands now, and the journal.
void task_book::tell(task& t, time_point now, effects& out) {
  number_event(t, now);
  journal_append what;
  if (options_.durable)
    what.entries.push_back(entry_of(t));
  append(std::move(what), out);
}

journal_entry task_book::entry_of(const task& t) const {
  journal_entry entry;
  if (t.phase == phase::accepting)
    entry.spec = t.spec;
  entry.record = t.end ? *t.end : t.record;
  entry.history = t.history;
  entry.attempt = t.numbered;
  entry.misses = t.misses;
  entry.accepted_event = t.accepted_event;
  entry.event = t.event;
  return entry;
}

void task_book::append(journal_append what, effects& out) {
  what.ticket = next_ticket_++;
  if (options_.durable)
    out.emplace_back(std::move(what));
  else
    committed_ = what.ticket;
}

task_book::effects task_book::on_journal(const journal_news& news, time_point now) {
  effects out;
  for (auto ticket : news.refused) {
    auto first = std::partition_point(recording_.begin(), recording_.end(),
                                      [&](const auto& each) { return each.first < ticket; });
    auto last = std::partition_point(first, recording_.end(),
                                     [&](const auto& each) { return each.first == ticket; });
    std::vector refused(first, last);
    recording_.erase(first, last);
    for (const auto& [its, id] : refused)
      drop(id, now, out);
  }
  committed_ = std::max(committed_, news.committed);
  settle(now, out);
  return out;
}

/// Brings into effect what is on disk by now.
void task_book::settle(time_point now, effects& out) {
  while (!recording_.empty() && recording_.front().first <= committed_) {
    auto& t = tasks_.at(recording_.front().second);
    recording_.pop_front();
    if (t.phase == phase::accepting)
      accepted(t, now, out);
    else
      publish(t, now, out);
  }
  forget_old(now, out);
  for (; !untold_.empty() && untold_.front().first <= committed_; untold_.pop_front()) {
    told_event_ = untold_.front().second.number;
    out.emplace_back(std::move(untold_.front().second));
  }
  release_starts(now, out);
}

/// Sends attempts on whose start had to be on disk first.
void task_book::release_starts(time_point now, effects& out) {
  while (!held_starts_.empty() && held_starts_.begin()->first <= committed_) {
    auto request = std::move(held_starts_.begin()->second);
    held_starts_.erase(held_starts_.begin());
    auto found = tasks_.find(request.task);
    if (found != tasks_.end() && found->second.phase == phase::running &&
        (found->second.attempt == request.attempt ||
         (found->second.hedge && found->second.hedge->attempt == request.attempt))) {
      send(found->second, std::move(request), now, out);
      continue;
    }
    if (in_flight_.erase({request.task, request.attempt}) == 0)
      continue; // given up in the meantime
    attempt_outcome unused;
    unused.task = request.task;
    unused.attempt = request.attempt;
    unused.agent = request.agent;
    unused.verdict = verdict::canceled;
    out.emplace_back(std::move(unused));
  }
}

// -- ends
// -------------------------------------------------------------------------------------------------

/// A task's record, for how it ends: as long as that is on its way to the disk, others see the task
/// as it was.
shared<task_record> task_book::record_to_end(task& t) const {
  return options_.durable ? t.record : std::move(t.record);
}

/// How a task ends is known; it is terminal once that is on disk.
void task_book::finish(task& t, task_state state, shared<task_record> end, time_point now,
                       effects& out) {
  set_due(t, std::nullopt);
  set_deadline(t, std::nullopt);
  drop_hedge(t);
  auto& record = end.edit();
  record.state = state;
  record.finished_at = wall(now);
  t.end = std::move(end);
  t.phase = phase::recording;
  t.ticket = next_ticket_;
  recording_.emplace_back(t.ticket, t.spec->id);
  tell(t, now, out);
}

void task_book::publish(task& t, time_point now, effects& out) {
  t.record = std::move(*t.end);
  t.end.reset();
  t.ticket = 0;
  t.phase = phase::done;
  --open_;
  open_bytes_ -= t.spec->input.str().size();
  for (const auto& needed : t.spec->depends_on)
    let_go(needed, now);
  release_dependents(t, now, out);
  if (t.needed_by == 0)
    shelve(t, now);
}

void task_book::release_dependents(task& t, time_point now, effects& out) {
  for (const auto& id : std::exchange(t.dependents, {})) {
    auto found = tasks_.find(id);
    if (found == tasks_.end() || found->second.phase != phase::blocked)
      continue;
    auto& dependent = found->second;
    if (t.record->state != task_state::completed &&
        dependent.spec->on_dependency_failure == dependency_policy::fail)
      fail_for(dependent, *t.record, now, out);
    else if (--dependent.blockers == 0)
      start(dependent, now, out);
  }
}

/// Ends a task that cannot start because of one that it depends on.
void task_book::fail_for(task& t, const task_record& cause, time_point now, effects& out) {
  auto end = record_to_end(t);
  end.edit().error = because_of(cause);
  auto state = end->error.kind == ec::canceled ? task_state::canceled : task_state::failed;
  finish(t, state, std::move(end), now, out);
}

/// One of the tasks that depend on it needs it no longer.
void task_book::let_go(const task_id& needed, time_point now) {
  auto found = tasks_.find(needed);
  if (found == tasks_.end() || --found->second.needed_by > 0)
    return;
  if (found->second.phase == phase::done)
    shelve(found->second, now);
}

std::size_t task_book::kept_bytes(const task& t) {
  return t.spec->input.str().size() + t.record->output.str().size() +
         t.history.size() * (sizeof(attempt_record) + sizeof(receipt));
}

/// Nobody needs the task any longer: from here on it may be forgotten.
void task_book::shelve(task& t, time_point at) {
  if (std::exchange(t.shelved, true))
    return;
  ended_bytes_ += kept_bytes(t);
  ended_.emplace_back(t.spec->id, at);
}

/// Terminal tasks past what is to be retained; never the one that has just ended. Some of them at a
/// time, so that a great many do not hold up everything else.
void task_book::forget_old(time_point now, effects& out) {
  constexpr int bite = 256;
  for (int i = 0; i < bite && !ended_.empty(); ++i) {
    auto too_many = ended_.size() > 1 &&
                    (ended_.size() > options_.retain_tasks || ended_bytes_ > options_.retain_bytes);
    if (!too_many && ended_.front().second + options_.retain_for > now)
      break;
    auto id = std::move(ended_.front().first);
    ended_.pop_front();
    forget(id);
  }
  if (!forgotten_.forgotten.empty())
    append(std::exchange(forgotten_, {}), out);
}

void task_book::forget(const task_id& id) {
  auto found = tasks_.find(id);
  auto& t = found->second;
  ended_bytes_ -= kept_bytes(t);
  t.shelved = false;
  if (t.needed_by > 0)
    return; // a task came since that depends on it
  order_.erase(t.record->number);
  if (options_.durable) {
    forgotten_.forgotten.push_back(t.record->number);
    forgotten_.forgotten_event = std::max(forgotten_.forgotten_event, t.event);
  }
  tasks_.erase(found);
}

unix_time task_book::wall(time_point now) const {
  return std::chrono::duration_cast<millis>(now.time_since_epoch()) + options_.unix_offset;
}

task_book::time_point task_book::from_wall(unix_time at) const {
  return time_point{at - options_.unix_offset};
}

// -- after a crash
// -----------------------------------------------------------------------------------------

task_book::effects task_book::recover(std::vector<journal_entry> entries, time_point now) {
  for (auto& entry : entries)
    recover_one(std::move(entry), now);
  // Numbers that were given out and did not reach the disk are left out: where the numbers come
  // from a clock they lie behind it already, unless somebody has set it back.
  constexpr std::uint64_t margin = 1'000'000;
  if (next_event_ <= told_event_)
    next_event_ = told_event_ + margin;
  std::vector<task*> over;
  effects out;
  for (const auto& [number, id] : order_) {
    auto& t = tasks_.at(id);
    if (t.phase == phase::done) {
      over.push_back(&t);
      continue;
    }
    for (const auto& needed : t.spec->depends_on) {
      auto found = tasks_.find(needed);
      if (found == tasks_.end())
        continue;
      ++found->second.needed_by;
      found->second.dependents.push_back(id);
    }
  }
  std::sort(over.begin(), over.end(), [](const task* a, const task* b) {
    return a->record->finished_at < b->record->finished_at;
  });
  for (auto* t : over)
    if (t->needed_by == 0)
      shelve(*t, std::min(now, from_wall(t->record->finished_at)));
  for (const auto& [number, id] : order_)
    if (auto& t = tasks_.at(id); t.phase != phase::done)
      go_on(t, now, out);
  settle(now, out);
  return out;
}

void task_book::recover_one(journal_entry entry, time_point now) {
  auto& t = tasks_[entry.spec->id];
  t.spec = std::move(entry.spec);
  t.record = std::move(entry.record);
  t.history = std::move(entry.history);
  t.attempt = t.numbered = entry.attempt;
  t.misses = entry.misses;
  t.accepted_event = entry.accepted_event;
  t.event = entry.event;
  t.submitted = std::min(now, from_wall(t.record->submitted_at));
  t.started = std::min(now, from_wall(t.record->started_at));
  told_event_ = std::max(told_event_, t.event);
  next_number_ = std::max(next_number_, t.record->number + 1);
  t.phase = phase::done;
  if (is_terminal(t.record->state)) {
    order_[t.record->number] = t.spec->id;
    return;
  }
  t.phase = phase::accepting;
  insert(t);
}

/// A task that a node has left unfinished.
void task_book::go_on(task& t, time_point now, effects& out) {
  auto is_open = [&](const task_id& id) {
    auto found = tasks_.find(id);
    return found != tasks_.end() && !is_terminal(found->second.record->state);
  };
  auto blocked = std::any_of(t.spec->depends_on.begin(), t.spec->depends_on.end(), is_open);
  if (!blocked && t.record->attempts - t.misses < rules(t).max_attempts)
    t.attempt =
        ++t.numbered; // one start may not have reached the disk: its number is not used again
  // Nor is it on disk that it was left out: another crash would find the same number to leave out.
  t.start_ticket = on_no_disk_yet;
  if (t.record->state != task_state::working)
    return accepted(t, now, out);
  t.phase = phase::running;
  attempt_outcome lost;
  lost.task = t.spec->id;
  lost.attempt = t.attempt;
  lost.agent = t.record->agent;
  lost.verdict = verdict::retryable;
  lost.error = {ec::node_stopped, "the node ended while the attempt ran"};
  for (const auto& each : t.history) {
    lost.attempt = each.attempt;
    if (!each.ended)
      t.record.edit().run = end_attempt(t, lost, now);
  }
  start_again(t, lost, now, out);
}

} // namespace rolecall
