// What follows an attempt that failed.
#include "actors/coordinator/task_book.hpp"

namespace rolecall {

/// The pool owes an outcome and does not give it.
void task_book::give_up_attempt(task& t, time_point now, effects& out) {
  attempt_outcome lost;
  lost.task = t.spec->id;
  lost.attempt = t.attempt;
  lost.agent = t.record->agent;
  lost.verdict = verdict::retryable;
  lost.error = {ec::timeout, "no outcome within " + std::to_string(timeout(t).count()) +
                                 " ms and the grace time"};
  lost.elapsed = std::chrono::duration_cast<micros>(now - t.started);
  out.emplace_back(cancel_attempt{t.spec->id, t.attempt});
  auto more = on_outcome(lost, now);
  std::move(more.begin(), more.end(), std::back_inserter(out));
}

void task_book::start_again(task& t, const attempt_outcome& outcome, time_point now, effects& out) {
  drop_hedge(t);
  auto rule = rules(t);
  auto busy = outcome.verdict == verdict::busy;
  auto again = busy || rule.again(outcome);
  if (!again || (!busy && t.record->attempts - t.misses >= rule.max_attempts)) {
    auto end = record_to_end(t);
    auto& record = end.edit();
    record.error = outcome.error;
    if (again && record.attempts > 1)
      record.error.message = "gave up after " + std::to_string(record.attempts) +
                             " attempts: " + outcome.error.message;
    finish(t, task_state::failed, std::move(end), now, out);
    return;
  }
  t.phase = phase::backing_off;
  t.record.edit().state = task_state::submitted;
  t.record.edit().error = outcome.error;
  // Exponential with full jitter: anything from nothing to the bound, so that tasks that failed
  // together do not come back together.
  auto bound = rule.backoff_bound(t.record->attempts);
  millis wait{std::uniform_int_distribution<millis::rep>{0, bound.count()}(chance_)};
  // The budget spares a service that is broken; neither of these is a sign of that.
  auto free = busy || outcome.error.kind == ec::node_stopped;
  set_due(t, free ? now + wait : std::max(now + wait, budget(t.spec->role).reserve(now)));
  tell(t, now, out);
}

retry_rules task_book::rules(const task& t) const {
  auto found = options_.roles.find(t.spec->role);
  return rules_for(*t.spec, found == options_.roles.end() ? nullptr : &found->second,
                   options_.retry);
}

retry_budget& task_book::budget(const role_name& role) {
  auto own = options_.roles.find(role);
  auto budget = own != options_.roles.end() && own->second.budget ? *own->second.budget
                                                                  : options_.retry_budget;
  return budgets_.try_emplace(role, budget).first->second;
}

/// Whether an attempt was cut short because the time of its task as a whole was over.
bool task_book::ran_out_of_time(const task& t, const attempt_outcome& outcome,
                                time_point now) const {
  constexpr millis about{50}; // the attempt's time ends a little before the task's
  return outcome.error.kind == ec::timeout && t.record->deadline_at > unix_time{0} &&
         wall(now) + about >= t.record->deadline_at;
}

placement_request task_book::placement_request_for(const task& t, std::uint32_t attempt) const {
  return {t.spec->id,
          attempt,
          t.spec->role,
          t.spec->skills,
          t.spec->priority,
          t.record->number,
          t.tried,
          label_of(*t.spec, options_.labels.task_class),
          label_of(*t.spec, options_.labels.fairness),
          t.spec->context_id};
}

} // namespace rolecall
