// A second attempt beside one that is slow. Its number is the next; the first of the two to end for
// good ends the task, and the other is canceled.
#include "actors/coordinator/task_book.hpp"

namespace rolecall {

bool task_book::may_hedge(const task& t) const {
  if (!t.spec->idempotent || paused_)
    return false;
  auto role = options_.roles.find(t.spec->role);
  auto has_own = role != options_.roles.end() && role->second.hedge.has_value();
  return has_own ? *role->second.hedge : options_.retry.hedge.value_or(false);
}

hedge_rules& task_book::hedges(const role_name& role) {
  return hedges_.try_emplace(role, options_.hedge_share).first->second;
}

void task_book::note_run(const task& t, micros run) {
  if (may_hedge(t))
    hedges(t.spec->role).ran(label_of(*t.spec, options_.labels.task_class), run);
}

void task_book::plan_hedge(task& t, millis timeout, time_point now) {
  if (!may_hedge(t))
    return;
  auto delay = hedges(t.spec->role).delay(label_of(*t.spec, options_.labels.task_class));
  if (delay && *delay < timeout)
    set_hedge_at(t, now + *delay);
}

void task_book::ask_for_hedge(task& t, time_point now, effects& out) {
  set_hedge_at(t, std::nullopt);
  // It counts as an attempt: one that may run only once gets none.
  if (!may_hedge(t) || t.record->attempts - t.misses >= rules(t).max_attempts ||
      !hedges(t.spec->role).available() || !budget(t.spec->role).available(now))
    return;
  t.hedge = std::make_unique<hedge_attempt>();
  t.hedge->attempt = ++t.numbered;
  t.start_ticket = on_no_disk_yet; // the number is not on disk: the next start waits until it is
  auto request = placement_request_for(t, t.hedge->attempt);
  request.avoid.push_back(t.record->agent);
  request.hedge = true;
  out.emplace_back(std::move(request));
}

void task_book::start_hedge(task& t, placement& p, time_point now, effects& out) {
  hedges(t.spec->role).take();
  budget(t.spec->role).reserve(now);
  t.hedge->running = true;
  t.hedge->agent = p.agent.key;
  t.hedge->started = now;
  t.record.edit().attempts += 1;
  in_flight_[{p.task, p.attempt}] = p.agent.key;
  hold_or_send(t, request_for(t, p, true, now), true, now, out);
}

/// The attempt beside which it ran is over: from here on it is the one.
void task_book::promote_hedge(task& t) {
  swap_with_hedge(t);
  drop_hedge(t);
}

/// The hedge becomes the attempt, and the attempt the hedge.
void task_book::swap_with_hedge(task& t) {
  std::swap(t.attempt, t.hedge->attempt);
  std::swap(t.started, t.hedge->started);
  std::swap(t.record.edit().agent, t.hedge->agent);
  auto due = std::exchange(t.hedge->due, t.due);
  set_due(t, due);
  t.record.edit().started_at = wall(t.started);
}

void task_book::cancel_hedge(task& t, time_point now, effects& out) {
  attempt_outcome canceled; // the pool's own word on it comes later, and changes nothing
  canceled.attempt = t.hedge->attempt;
  canceled.verdict = verdict::canceled;
  canceled.error = {ec::canceled, "not needed any more: attempt " + std::to_string(t.attempt) +
                                      " of the task has ended"};
  canceled.elapsed = std::chrono::duration_cast<micros>(now - t.hedge->started);
  out.emplace_back(cancel_attempt{t.spec->id, canceled.attempt});
  t.record.edit().run = end_attempt(t, canceled, now);
  note_run(t, canceled.elapsed); // it would have taken even longer
}

void task_book::drop_hedge(task& t) {
  t.hedge.reset();
  set_hedge_at(t, std::nullopt);
}

void task_book::set_hedge_at(task& t, std::optional<time_point> at) {
  if (t.hedge_at)
    hedges_due_.erase({*t.hedge_at, t.spec->id});
  t.hedge_at = at;
  if (at)
    hedges_due_.insert({*at, t.spec->id});
}

} // namespace rolecall
