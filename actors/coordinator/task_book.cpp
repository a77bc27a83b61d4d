#include "actors/coordinator/task_book.hpp"

#include "actors/coordinator/trace_context.hpp"

#include <algorithm>

namespace rolecall {

namespace {

/// No agent can ever do it, or nobody has room for it: the task was not taken on.
bool rejects(ec kind) {
  return kind == ec::unknown_role || kind == ec::unknown_skill || kind == ec::queue_full;
}

/// As many as a task may have attempts, and some that do not count.
constexpr std::size_t max_history = 1'024;
constexpr std::size_t max_dependency_bytes = 64u << 20;

/// The agent or its service was not there: nothing of the task can have been done.
bool is_miss(const failure& error) {
  return error.kind == ec::unknown_agent || error.kind == ec::connect_failed;
}

/// What the router wants to know of it.
attempt_outcome without_payload(const attempt_outcome& of) {
  return {of.task,  of.attempt, of.agent, of.verdict,   {},
          of.error, of.elapsed, of.park,  of.agent_gone};
}

millis since(task_book::time_point start, task_book::time_point now) {
  return std::chrono::duration_cast<millis>(now - start);
}

} // namespace

// -- what happens
// ------------------------------------------------------------------------------------

task_book::effects task_book::on_placement(placement p, time_point now) {
  effects out;
  out.reserve(few_effects);
  auto found = tasks_.find(p.task);
  auto known = found != tasks_.end() && !paused_;
  if (known && found->second.phase == phase::running && found->second.hedge &&
      !found->second.hedge->running && found->second.hedge->attempt == p.attempt) {
    start_hedge(found->second, p, now, out);
    settle(now, out);
    return out;
  }
  if (!known || found->second.phase != phase::waiting || found->second.attempt != p.attempt) {
    attempt_outcome unused; // nobody wants it any more: the slot goes back
    unused.task = p.task;
    unused.attempt = p.attempt;
    unused.agent = p.agent.key;
    unused.verdict = verdict::canceled;
    out.emplace_back(std::move(unused));
    return out;
  }
  auto& t = found->second;
  auto request = begin_attempt(t, p, now);
  in_flight_[{p.task, p.attempt}] = p.agent.key;
  auto is_last = t.record->attempts - t.misses >= rules(t).max_attempts;
  hold_or_send(t, std::move(request), is_last || t.start_ticket > committed_, now, out);
  settle(now, out);
  return out;
}

/// Tells of an attempt's start, and starts it: now, or once that is on disk.
void task_book::hold_or_send(task& t, attempt_request&& request, bool must_wait, time_point now,
                             effects& out) {
  t.start_ticket = next_ticket_;
  tell(t, now, out);
  if (options_.durable && must_wait)
    held_starts_.emplace(t.start_ticket, std::move(request));
  else
    send(t, std::move(request), now, out);
}

task_book::effects task_book::on_refused(const placement_refused& refused, time_point now) {
  effects out;
  auto found = tasks_.find(refused.task);
  if (found != tasks_.end() && found->second.hedge && !found->second.hedge->running &&
      found->second.hedge->attempt == refused.attempt) {
    auto& t = found->second; // nobody is free for a hedge: the attempt may yet get one
    drop_hedge(t);
    plan_hedge(t, timeout(t), now);
    return out;
  }
  if (found == tasks_.end() || found->second.phase != phase::waiting ||
      found->second.attempt != refused.attempt)
    return out;
  auto& t = found->second;
  auto first = t.record->attempts == 0;
  auto end = record_to_end(t);
  end.edit().error = refused.error;
  auto state = first && rejects(refused.error.kind) ? task_state::rejected : task_state::failed;
  finish(t, state, std::move(end), now, out);
  settle(now, out);
  return out;
}

task_book::effects task_book::on_outcome(attempt_outcome outcome, time_point now) {
  effects out;
  out.reserve(few_effects);
  if (in_flight_.erase({outcome.task, outcome.attempt}) == 0) {
    ++late_outcomes_; // given up before, or said twice
    return out;
  }
  auto found = tasks_.find(outcome.task);
  auto told = without_payload(outcome);
  if (found != tasks_.end() && ran_out_of_time(found->second, outcome, now))
    told.verdict = verdict::canceled; // the router is not to hold it against the agent
  out.emplace_back(std::move(told));
  auto runs = found != tasks_.end() && found->second.phase == phase::running;
  auto is_hedge = runs && found->second.hedge && found->second.hedge->running &&
                  found->second.hedge->attempt == outcome.attempt;
  if (!runs || (found->second.attempt != outcome.attempt && !is_hedge)) {
    ++late_outcomes_; // canceled in the meantime, and maybe forgotten
    if (found != tasks_.end())
      add_receipt(found->second, outcome, out);
    settle(now, out);
    return out;
  }
  auto& t = found->second;
  if (is_hedge)
    swap_with_hedge(t); // from here on the one that has ended is the attempt
  auto other = t.hedge && t.hedge->running;
  if (outcome.verdict == verdict::busy) {
    // It never started.
    t.history.erase(t.history.begin() + (attempt_of(t, outcome.attempt) - t.history.data()));
    t.record.edit().attempts -= 1;
    if (other) {
      promote_hedge(t);
    } else {
      if (t.numbered == t.attempt)
        t.numbered -= 1; // its number is still to be used
      start_again(t, outcome, now, out);
    }
    settle(now, out);
    return out;
  }
  auto may_go_on = outcome.verdict != verdict::completed && outcome.verdict != verdict::canceled &&
                   rules(t).again(outcome);
  if (other && !may_go_on)
    cancel_hedge(t, now, out);
  t.record.edit().run = end_attempt(t, outcome, now);
  switch (outcome.verdict) {
  case verdict::completed: {
    note_run(t, outcome.elapsed);
    auto end = record_to_end(t);
    auto& record = end.edit();
    record.output = std::move(outcome.output);
    record.error = {};
    finish(t, task_state::completed, std::move(end), now, out);
    break;
  }
  case verdict::canceled: {
    auto end = record_to_end(t);
    end.edit().error = std::move(outcome.error);
    finish(t, task_state::canceled, std::move(end), now, out);
    break;
  }
  default:
    if (outcome.verdict == verdict::retryable) {
      t.tried.push_back(outcome.agent);
      if (is_miss(outcome.error) && t.misses < options_.max_misses)
        ++t.misses;
    }
    if (other && may_go_on) {
      t.record.edit().error = outcome.error;
      promote_hedge(t);
      tell(t, now, out);
    } else {
      start_again(t, outcome, now, out);
    }
    break;
  }
  settle(now, out);
  return out;
}

task_book::admission task_book::cancel(const std::vector<task_id>& ids, time_point now,
                                       std::uint64_t& count) {
  admission result;
  count = 0;
  for (const auto& id : ids) {
    auto found = tasks_.find(id);
    if (found == tasks_.end())
      continue;
    auto& t = found->second;
    if (!has_ended(t)) {
      ++count;
      stop(t, task_state::canceled, {ec::canceled, "canceled on request"}, now, result.todo);
    }
    if (options_.durable && t.phase == phase::recording)
      result.ticket = std::max(result.ticket, t.ticket);
  }
  settle(now, result.todo);
  return result;
}

task_book::effects task_book::on_wake(time_point now) {
  effects out;
  while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
    auto& t = tasks_.at(deadlines_.begin()->second);
    set_deadline(t, std::nullopt);
    stop(t, task_state::failed,
         {ec::deadline_exceeded,
          "not done within its deadline of " + std::to_string(t.spec->deadline.count()) + " ms" +
              (t.record->error.message.empty() ? std::string{}
                                               : "; the last attempt: " + t.record->error.message)},
         now, out);
  }
  while (!hedges_due_.empty() && hedges_due_.begin()->first <= now)
    ask_for_hedge(tasks_.at(hedges_due_.begin()->second), now, out);
  while (!dues_.empty() && dues_.begin()->first <= now) {
    auto& t = tasks_.at(dues_.begin()->second);
    if (t.phase == phase::backing_off) {
      set_due(t, std::nullopt);
      ask_for_agent(t, out);
    } else {
      give_up_attempt(t, now, out);
    }
  }
  settle(now, out);
  return out;
}

// -- inside
// ------------------------------------------------------------------------------------------

/// Nothing that the task depends on is open any more.
void task_book::start(task& t, time_point now, effects& out) {
  std::size_t bytes = 0;
  for (const auto& id : t.spec->depends_on)
    if (auto found = tasks_.find(id); found != tasks_.end())
      bytes += found->second.record->output.str().size();
  if (bytes <= max_dependency_bytes)
    return ask_for_agent(t, out);
  auto end = record_to_end(t);
  end.edit().error = {ec::too_large, "the outputs of the tasks that it depends on have " +
                                         std::to_string(bytes) + " bytes together; the most is " +
                                         std::to_string(max_dependency_bytes)};
  finish(t, task_state::failed, std::move(end), now, out);
}

void task_book::ask_for_agent(task& t, effects& out) {
  t.phase = phase::waiting;
  if (paused_)
    return;
  t.attempt = ++t.numbered;
  out.emplace_back(placement_request_for(t, t.attempt));
}

attempt_request task_book::begin_attempt(task& t, placement& p, time_point now) {
  t.phase = phase::running;
  t.started = now;
  auto& record = t.record.edit();
  record.state = task_state::working;
  record.attempts += 1;
  record.agent = p.agent.key;
  record.queued = since(t.submitted, now);
  record.run = millis{0};
  record.started_at = wall(now);
  if (record.attempts == 1) {
    budget(t.spec->role).first_attempt(now);
    if (may_hedge(t))
      hedges(t.spec->role).first_attempt();
  }
  return request_for(t, p, false, now);
}

/// Notes an attempt in the task's history, and gives what the pool is asked.
attempt_request task_book::request_for(task& t, placement& p, bool hedge, time_point now) {
  t.candidates = std::move(p.candidates);
  if (t.history.size() == max_history)
    t.history.erase(t.history.begin());
  attempt_record started;
  started.attempt = p.attempt;
  started.agent = p.agent.key;
  started.started_at = wall(now);
  started.hedge = hedge;
  started.span_id = hex(chance_() | 1);
  t.history.push_back(std::move(started));
  attempt_request request;
  request.task = p.task;
  request.attempt = p.attempt;
  request.agent = p.agent.key;
  request.max_concurrency = p.agent.max_concurrency;
  request.service_url = std::move(p.agent.service_url);
  request.role = t.spec->role;
  request.input = t.spec->input;
  request.context_id = t.spec->context_id;
  request.dependencies = dependency_outputs(t);
  request.timeout = timeout(t);
  if (t.deadline) {
    request.deadline = std::max(millis{1}, since(now, *t.deadline));
    request.timeout = std::min(request.timeout, request.deadline);
  }
  request.traceparent = make_traceparent(trace_in(t.record->traceparent), t.history.back().span_id);
  return request;
}

void task_book::send(task& t, attempt_request&& request, time_point now, effects& out) {
  auto due = now + request.timeout + options_.outcome_grace;
  if (request.attempt == t.attempt) {
    set_due(t, due);
    plan_hedge(t, request.timeout, now);
  } else {
    t.hedge->due = due;
  }
  out.emplace_back(std::move(request));
}

/// The task's record of one of its latest attempts; null if there is none.
attempt_record* task_book::attempt_of(task& t, std::uint32_t attempt) {
  auto is_it = [&](const attempt_record& each) { return each.attempt == attempt; };
  auto found = std::find_if(t.history.rbegin(), t.history.rend(), is_it);
  return found == t.history.rend() ? nullptr : &*found;
}

/// The receipt of an attempt that was ended before its exchange was.
void task_book::add_receipt(task& t, const attempt_outcome& outcome, effects& out) {
  auto* found = attempt_of(t, outcome.attempt);
  if (!found)
    return;
  found->receipt = outcome.receipt;
  journal_append what;
  if (options_.durable)
    what.entries.push_back(entry_of(t));
  append(std::move(what), out);
}

/// Notes how an attempt that runs has ended, for the task's history and its next event; takes the
/// receipt, and gives how long it ran.
millis task_book::end_attempt(task& t, attempt_outcome& outcome, time_point now) {
  auto& last = *attempt_of(t, outcome.attempt);
  last.ended = true;
  last.verdict = outcome.verdict;
  last.run = outcome.elapsed > micros{0} ? std::chrono::round<millis>(outcome.elapsed)
                                         : since(t.started, now);
  last.error = outcome.error;
  last.receipt = std::move(outcome.receipt);
  just_ended_.push_back(last);
  return last.run;
}

/// Ends a task wherever it is by now, unless it has ended.
void task_book::stop(task& t, task_state state, failure why, time_point now, effects& out) {
  if (has_ended(t))
    return;
  if (t.phase == phase::waiting)
    out.emplace_back(withdraw{t.spec->id});
  if (t.phase == phase::running) {
    out.emplace_back(cancel_attempt{t.spec->id, t.attempt});
    if (t.hedge && t.hedge->running)
      cancel_hedge(t, now, out);
    attempt_outcome canceled; // the pool's own word on it comes later, and changes nothing
    canceled.attempt = t.attempt;
    canceled.verdict = verdict::canceled;
    canceled.error = why;
    t.record.edit().run = end_attempt(t, canceled, now);
  }
  auto end = record_to_end(t);
  end.edit().error = std::move(why);
  finish(t, state, std::move(end), now, out);
}

void task_book::set_due(task& t, std::optional<time_point> due) {
  if (t.due)
    dues_.erase({*t.due, t.spec->id});
  t.due = due;
  if (due)
    dues_.insert({*due, t.spec->id});
}

void task_book::set_deadline(task& t, std::optional<time_point> deadline) {
  if (t.deadline)
    deadlines_.erase({*t.deadline, t.spec->id});
  t.deadline = deadline;
  if (deadline)
    deadlines_.insert({*deadline, t.spec->id});
}

millis task_book::timeout(const task& t) const {
  return t.spec->timeout > millis{0} ? t.spec->timeout : options_.timeout;
}

} // namespace rolecall
