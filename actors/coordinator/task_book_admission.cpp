// How tasks come in: what is refused, what is known already, what has to be done first.
#include "actors/coordinator/dependencies.hpp"
#include "actors/coordinator/task_book.hpp"
#include "actors/coordinator/task_difference.hpp"
#include "actors/coordinator/trace_context.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <unordered_set>

namespace rolecall {

std::variant<task_book::admission, failure> task_book::submit(std::vector<task_spec> specs,
                                                              time_point now) {
  admission result;
  result.todo.reserve(few_effects);
  std::vector<const task_spec*> fresh;
  std::unordered_set<std::string_view> in_batch;
  for (const auto& spec : specs) {
    auto found = tasks_.find(spec.id);
    const auto* there = found == tasks_.end() ? nullptr : &*found->second.spec;
    if (specs.size() > 1 && !in_batch.insert(spec.id.str()).second)
      return failure{ec::duplicate_task,
                     "the task id \"" + spec.id.str() + "\" stands twice in the request"};
    if (!there) {
      fresh.push_back(&spec);
      continue;
    }
    if (auto differs = difference(*there, spec); !differs.empty())
      return failure{ec::duplicate_task, "there is a task \"" + spec.id.str() +
                                             "\" already, with other content: " + differs};
    result.known.push_back(spec.id);
    if (found->second.phase == phase::accepting) // as long as it may still come to nothing
      result.ticket = std::max(result.ticket, found->second.ticket);
  }
  if (fresh.empty())
    return result;
  if (auto why = admission_problem(fresh))
    return *why;
  if (auto why = dependency_problem(fresh))
    return *why;
  journal_append append_these;
  append_these.acceptance = true;
  result.ticket = next_ticket_;
  std::vector<task*> added;
  for (auto& spec : specs)
    if (!tasks_.contains(spec.id))
      added.push_back(&add(std::move(spec), now));
  for (auto* each : added) { // now that all of them are there
    auto& t = *each;
    for (const auto& id : t.spec->depends_on) {
      auto& needed = tasks_.at(id);
      ++needed.needed_by;
      needed.dependents.push_back(t.spec->id);
    }
    t.accepted_event = number_event(t, now);
    recording_.emplace_back(result.ticket, t.spec->id);
    if (options_.durable)
      append_these.entries.push_back(entry_of(t));
  }
  append(std::move(append_these), result.todo);
  if (!options_.durable)
    result.ticket = 0;
  settle(now, result.todo);
  return result;
}

std::optional<failure>
task_book::admission_problem(const std::vector<const task_spec*>& fresh) const {
  if (open_ + fresh.size() > options_.max_tasks)
    return failure{ec::queue_full, "at most " + std::to_string(options_.max_tasks) +
                                       " tasks can be under way at the same time"};
  auto bytes = open_bytes_;
  for (const auto* spec : fresh)
    bytes += spec->input.str().size();
  if (bytes > options_.max_input_bytes)
    return failure{ec::queue_full, "the inputs of all tasks under way can have at most " +
                                       std::to_string(options_.max_input_bytes) + " bytes"};
  return std::nullopt;
}

std::optional<failure>
task_book::dependency_problem(const std::vector<const task_spec*>& fresh) const {
  auto is_needy = [](const task_spec* spec) { return !spec->depends_on.empty(); };
  if (std::none_of(fresh.begin(), fresh.end(), is_needy))
    return std::nullopt;
  std::unordered_set<task_id> coming;
  for (const auto* spec : fresh)
    coming.insert(spec->id);
  for (const auto* spec : fresh)
    for (const auto& id : spec->depends_on)
      if (!coming.contains(id) && !tasks_.contains(id))
        return failure{ec::unknown_dependency, "the task \"" + spec->id.str() + "\" depends on \"" +
                                                   id.str() +
                                                   "\", which is neither in the request nor known"};
  auto cycle = find_cycle(fresh);
  if (!cycle)
    return std::nullopt;
  constexpr std::size_t shown = 10;
  std::string text;
  for (std::size_t i = 0; i < std::min(shown, cycle->size()); ++i)
    text += "\"" + (*cycle)[i].str() + "\" needs ";
  if (cycle->size() > shown)
    text += "… needs ";
  return failure{ec::dependency_cycle,
                 "the tasks depend on each other: " + text + "\"" + cycle->front().str() + "\""};
}

task_book::task& task_book::add(task_spec what, time_point now) {
  auto& t = tasks_[what.id];
  t.spec = std::move(what);
  const auto& spec = *t.spec;
  t.phase = phase::accepting;
  t.ticket = next_ticket_;
  t.submitted = now;
  auto known = is_traceparent(spec.traceparent);
  auto trace =
      known ? std::string{trace_in(spec.traceparent)} : hex(chance_()) + hex(chance_() | 1);
  auto& record = t.record.edit();
  record.traceparent = make_traceparent(trace, hex(chance_() | 1)); // zeros would be invalid
  record.parent_span = known ? span_in(spec.traceparent) : "";
  record.id = spec.id;
  record.role = spec.role;
  record.number = next_number_++;
  record.priority = spec.priority;
  record.labels = spec.labels;
  record.context_id = spec.context_id;
  record.retry_of = spec.retry_of;
  record.submitted_at = wall(now);
  if (spec.deadline > millis{0})
    record.deadline_at = record.submitted_at + spec.deadline;
  insert(t);
  return t;
}

/// Into all that is kept of tasks that are not terminal.
void task_book::insert(task& t) {
  order_.emplace_hint(order_.end(), t.record->number, t.spec->id);
  ++open_;
  open_bytes_ += t.spec->input.str().size();
  if (t.record->deadline_at > unix_time{0})
    set_deadline(t, from_wall(t.record->deadline_at));
}

/// The task is on disk: it starts, as soon as those that it depends on let it.
void task_book::accepted(task& t, time_point now, effects& out) {
  t.ticket = 0;
  t.phase = phase::blocked;
  t.blockers = 0;
  if (t.record->deadline_at > unix_time{0}) // it may have passed meanwhile
    set_deadline(t, from_wall(t.record->deadline_at));
  if (t.spec->depends_on.empty())
    return start(t, now, out);
  task_record refused; // a dependency that did not reach the disk
  refused.state = task_state::rejected;
  refused.error = {ec::storage_full, "it could not be written to the journal"};
  const task_record* broken = nullptr;
  for (const auto& id : t.spec->depends_on) {
    auto found = tasks_.find(id);
    if (found == tasks_.end()) {
      refused.id = id;
      broken = &refused;
    } else if (found->second.phase != phase::done) {
      ++t.blockers;
    } else if (found->second.record->state != task_state::completed) {
      broken = &*found->second.record;
    }
  }
  if (broken && t.spec->on_dependency_failure == dependency_policy::fail)
    fail_for(t, *broken, now, out);
  else if (t.blockers == 0)
    start(t, now, out);
}

/// What the tasks that it depends on have given, by their ids.
json_text task_book::dependency_outputs(const task& t) const {
  if (t.spec->depends_on.empty())
    return {};
  std::string text;
  for (const auto& id : t.spec->depends_on) {
    auto found = tasks_.find(id);
    if (found == tasks_.end() || found->second.record->state != task_state::completed)
      continue;
    text += (text.empty() ? "{" : ",") + nlohmann::json(id.str()).dump() + ":";
    text += found->second.record->output.str();
  }
  return json_text{(text.empty() ? "{" : std::move(text)) + "}"};
}

/// A task that was refused by the disk: as if it had never come.
void task_book::drop(const task_id& id, time_point now, effects& out) {
  auto found = tasks_.find(id);
  auto& t = found->second;
  set_deadline(t, std::nullopt);
  --open_;
  open_bytes_ -= t.spec->input.str().size();
  order_.erase(t.record->number);
  for (const auto& needed : t.spec->depends_on) {
    if (auto there = tasks_.find(needed); there != tasks_.end())
      std::erase(there->second.dependents, id); // it may come again
    let_go(needed, now);
  }
  if (auto old = tasks_.find(t.spec->retry_of);
      old != tasks_.end() && old->second.record->retried_as == id) {
    old->second.record.edit().retried_as = {};
    journal_append unlink;
    unlink.entries.push_back(entry_of(old->second));
    append(std::move(unlink), out);
  }
  std::erase_if(untold_, [&](const auto& each) { return each.second.task->id == id; });
  tasks_.erase(found);
}

std::variant<task_book::admission, failure> task_book::retry(const task_id& id,
                                                             const task_id& fresh, time_point now) {
  auto found = tasks_.find(id);
  if (found == tasks_.end() || found->second.phase == phase::accepting)
    return failure{ec::unknown_task, "there is no task \"" + id.str() + "\""};
  auto& old = found->second;
  if (old.phase != phase::done || old.record->state == task_state::completed)
    return failure{ec::task_not_retryable, "the task \"" + id.str() + "\" is " +
                                               to_string(old.record->state) +
                                               "; only one that failed, or was canceled or "
                                               "rejected, can be done again"};
  auto spec = *old.spec;
  spec.id = fresh;
  spec.retry_of = id;
  // A dependency that failed too, and was done again, counts as it is now.
  for (auto& needed : spec.depends_on)
    for (auto it = tasks_.find(needed);
         it != tasks_.end() && !it->second.record->retried_as.empty(); it = tasks_.find(needed))
      needed = it->second.record->retried_as;
  auto result = submit({std::move(spec)}, now);
  if (auto* admitted = std::get_if<admission>(&result)) {
    auto& again = tasks_.at(id);
    again.record.edit().retried_as = fresh;
    journal_append link;
    if (options_.durable)
      link.entries.push_back(entry_of(again));
    append(std::move(link), admitted->todo);
  }
  return result;
}

} // namespace rolecall
