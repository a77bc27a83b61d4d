#include "actors/coordinator/task_book.hpp"

#include <algorithm>
#include <cstdio>

namespace rolecall {

namespace {

/// No agent can ever do it, or nobody has room for it: the task was not taken on.
bool rejects(ec kind) {
  return kind == ec::unknown_role || kind == ec::unknown_skill || kind == ec::queue_full;
}

std::string hex(std::uint64_t number) {
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(number));
  return text;
}

constexpr std::size_t max_history = 32;

/// Whether a text is a `traceparent` (W3C Trace Context) of a form that we know: version, trace,
/// span and flags, with neither of the ids all zeros.
bool is_traceparent(const std::string& text) {
  auto is_hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  if (text.size() < 55 || text[2] != '-' || text[35] != '-' || text[52] != '-')
    return false;
  auto is_id = [&](std::size_t from, std::size_t size) {
    auto id = text.substr(from, size);
    return std::all_of(id.begin(), id.end(), is_hex) &&
           id.find_first_not_of('0') != std::string::npos;
  };
  return is_id(3, 32) && is_id(36, 16);
}

std::string make_traceparent(const std::string& trace, const std::string& span) {
  return "00-" + trace + "-" + span + "-01";
}

std::string trace_in(const std::string& traceparent) {
  return traceparent.substr(3, 32);
}

/// The agent or its service was not there: nothing of the task can have been done.
bool is_miss(const failure& error) {
  return error.kind == ec::unknown_agent || error.kind == ec::connect_failed;
}

millis since(task_book::time_point start, task_book::time_point now) {
  return std::chrono::duration_cast<millis>(now - start);
}

} // namespace

// -- what happens
// ------------------------------------------------------------------------------------

std::variant<task_book::effects, failure> task_book::submit(const std::vector<task_spec>& specs,
                                                            time_point now) {
  std::set<task_id> fresh;
  for (const auto& spec : specs)
    if (tasks_.contains(spec.id) || !fresh.insert(spec.id).second)
      return failure{ec::duplicate_task, "there is a task \"" + spec.id.value + "\" already"};
  if (open_ + specs.size() > options_.max_tasks)
    return failure{ec::queue_full, "at most " + std::to_string(options_.max_tasks) +
                                       " tasks can be under way at the same time"};
  std::size_t bytes = 0;
  for (const auto& spec : specs)
    bytes += spec.input.str().size();
  if (open_bytes_ + bytes > options_.max_input_bytes)
    return failure{ec::queue_full, "the inputs of all tasks under way can have at most " +
                                       std::to_string(options_.max_input_bytes) + " bytes"};
  open_bytes_ += bytes;
  effects out;
  for (const auto& spec : specs) {
    auto& t = tasks_[spec.id];
    t.spec = spec;
    if (t.spec.timeout == millis{0})
      t.spec.timeout = options_.timeout;
    if (t.spec.max_attempts == 0)
      t.spec.max_attempts = options_.max_attempts;
    t.number = next_number_++;
    t.submitted = now;
    auto known = is_traceparent(spec.traceparent);
    auto trace = known ? trace_in(spec.traceparent) : hex(chance_()) + hex(chance_() | 1);
    t.record.traceparent = make_traceparent(trace, hex(chance_() | 1)); // zeros would be invalid
    t.record.parent_span = known ? spec.traceparent.substr(36, 16) : "";
    t.record.id = spec.id;
    t.record.role = spec.role;
    t.record.number = t.number;
    t.record.priority = spec.priority;
    t.record.labels = spec.labels;
    t.record.context_id = spec.context_id;
    t.record.retry_of = spec.retry_of;
    t.record.submitted_at = wall(now);
    order_[t.number] = spec.id;
    ++open_;
    tell(t, now, out);
    ask_for_agent(t, out);
  }
  return out;
}

task_book::effects task_book::on_placement(const placement& p, time_point now) {
  effects out;
  auto found = tasks_.find(p.task);
  if (found == tasks_.end() || found->second.phase != phase::waiting ||
      found->second.attempt != p.attempt) {
    attempt_outcome unused; // nobody wants it any more: the slot goes back
    unused.task = p.task;
    unused.attempt = p.attempt;
    unused.agent = p.agent.key;
    unused.verdict = verdict::canceled;
    out.emplace_back(std::move(unused));
    return out;
  }
  auto& t = found->second;
  begin_attempt(t, p, now);
  in_flight_[{p.task, p.attempt}] = p.agent.key;
  set_due(t, now + t.spec.timeout + options_.outcome_grace);
  attempt_request request;
  request.task = p.task;
  request.attempt = p.attempt;
  request.agent = p.agent.key;
  request.max_concurrency = p.agent.max_concurrency;
  request.service_url = p.agent.service_url;
  request.role = t.spec.role;
  request.input = t.spec.input;
  request.context_id = t.spec.context_id;
  request.timeout = t.spec.timeout;
  request.traceparent = make_traceparent(trace_in(t.record.traceparent), t.history.back().span_id);
  tell(t, now, out);
  out.emplace_back(std::move(request));
  return out;
}

task_book::effects task_book::on_refused(const placement_refused& refused, time_point now) {
  effects out;
  auto found = tasks_.find(refused.task);
  if (found == tasks_.end() || found->second.phase != phase::waiting ||
      found->second.attempt != refused.attempt)
    return out;
  auto& t = found->second;
  auto first = t.record.attempts == 0;
  t.record.error = refused.error;
  finish(t, first && rejects(refused.error.kind) ? task_state::rejected : task_state::failed, now,
         out);
  return out;
}

task_book::effects task_book::on_outcome(const attempt_outcome& outcome, time_point now) {
  effects out;
  if (in_flight_.erase({outcome.task, outcome.attempt}) == 0) {
    ++late_outcomes_; // given up before, or said twice
    return out;
  }
  out.emplace_back(outcome);
  auto found = tasks_.find(outcome.task);
  if (found == tasks_.end() || found->second.phase != phase::running ||
      found->second.attempt != outcome.attempt) {
    ++late_outcomes_; // canceled in the meantime, and maybe forgotten
    return out;
  }
  auto& t = found->second;
  end_attempt(t, outcome, now);
  switch (outcome.verdict) {
  case verdict::completed:
    t.record.output = outcome.output;
    t.record.error = {};
    finish(t, task_state::completed, now, out);
    break;
  case verdict::failed:
    t.record.error = outcome.error;
    finish(t, task_state::failed, now, out);
    break;
  case verdict::canceled:
    t.record.error = outcome.error;
    finish(t, task_state::canceled, now, out);
    break;
  case verdict::busy:
    t.record.attempts -= 1; // it never started
    start_again(t, outcome.error, now, out);
    break;
  case verdict::retryable:
    t.tried.push_back(outcome.agent);
    if (is_miss(outcome.error) && t.misses < options_.max_misses)
      ++t.misses;
    start_again(t, outcome.error, now, out);
    break;
  }
  return out;
}

task_book::effects task_book::cancel(const task_id& id, time_point now) {
  effects out;
  if (auto found = tasks_.find(id); found != tasks_.end())
    cancel(found->second, now, out);
  return out;
}

task_book::effects task_book::cancel_all(time_point now) {
  effects out;
  for (const auto& record : list()) // a copy: what is over may be forgotten
    if (auto found = tasks_.find(record.id); found != tasks_.end())
      cancel(found->second, now, out);
  return out;
}

std::variant<task_book::effects, failure> task_book::retry(const task_id& id, const task_id& fresh,
                                                           time_point now) {
  auto found = tasks_.find(id);
  if (found == tasks_.end())
    return failure{ec::unknown_task, "there is no task \"" + id.value + "\""};
  const auto& record = found->second.record;
  if (!is_terminal(record.state) || record.state == task_state::completed)
    return failure{ec::task_not_retryable, "the task \"" + id.value + "\" is " +
                                               to_string(record.state) +
                                               "; only one that failed, or was canceled or "
                                               "rejected, can be done again"};
  auto spec = found->second.spec;
  spec.id = fresh;
  spec.retry_of = id;
  return submit({std::move(spec)}, now);
}

task_book::effects task_book::on_wake(time_point now) {
  effects out;
  while (!dues_.empty() && dues_.begin()->first <= now) {
    auto& t = tasks_.at(dues_.begin()->second);
    if (t.phase == phase::backing_off) {
      set_due(t, std::nullopt);
      ask_for_agent(t, out);
      continue;
    }
    attempt_outcome lost; // the pool owes an outcome and does not give it
    lost.task = t.spec.id;
    lost.attempt = t.attempt;
    lost.agent = t.record.agent;
    lost.verdict = verdict::retryable;
    lost.error = {ec::timeout, "no outcome within " + std::to_string(t.spec.timeout.count()) +
                                   " ms and the grace time"};
    lost.elapsed = std::chrono::duration_cast<micros>(now - t.started);
    out.emplace_back(cancel_attempt{t.spec.id, t.attempt});
    auto more = on_outcome(lost, now);
    std::move(more.begin(), more.end(), std::back_inserter(out));
  }
  return out;
}

// -- inside
// ------------------------------------------------------------------------------------------

void task_book::ask_for_agent(task& t, effects& out) {
  t.phase = phase::waiting;
  ++t.attempt;
  out.emplace_back(placement_request{t.spec.id, t.attempt, t.spec.role, t.spec.skills,
                                     t.spec.priority, t.number, t.tried});
}

void task_book::start_again(task& t, failure why, time_point now, effects& out) {
  if (t.record.attempts - t.misses >= t.spec.max_attempts) {
    if (t.record.attempts > 1)
      why.message =
          "gave up after " + std::to_string(t.record.attempts) + " attempts: " + why.message;
    t.record.error = std::move(why);
    finish(t, task_state::failed, now, out);
    return;
  }
  t.phase = phase::backing_off;
  t.record.state = task_state::submitted;
  t.record.error = std::move(why);
  set_due(t, now + backoff(t.record.attempts));
  tell(t, now, out);
}

void task_book::finish(task& t, task_state state, time_point now, effects& out) {
  set_due(t, std::nullopt);
  t.phase = phase::done;
  t.record.state = state;
  t.record.finished_at = wall(now);
  --open_;
  auto input = t.spec.input.str().size();
  open_bytes_ -= input;
  ended_bytes_ += input + t.record.output.str().size();
  ended_.push_back(t.spec.id);
  tell(t, now, out);
  forget_old();
}

void task_book::begin_attempt(task& t, const placement& p, time_point now) {
  t.phase = phase::running;
  t.started = now;
  t.record.state = task_state::working;
  t.record.attempts += 1;
  t.record.agent = p.agent.key;
  t.record.queued = since(t.submitted, now);
  t.record.run = millis{0};
  t.record.started_at = wall(now);
  t.candidates = p.candidates;
  if (t.history.size() == max_history)
    t.history.erase(t.history.begin());
  attempt_record started;
  started.attempt = p.attempt;
  started.agent = p.agent.key;
  started.started_at = t.record.started_at;
  started.span_id = hex(chance_() | 1);
  t.history.push_back(std::move(started));
}

/// Notes how the attempt that runs has ended, for the task's history and its next event.
void task_book::end_attempt(task& t, const attempt_outcome& outcome, time_point now) {
  auto& last = t.history.back();
  last.ended = true;
  last.verdict = outcome.verdict;
  last.run = outcome.elapsed > micros{0} ? std::chrono::round<millis>(outcome.elapsed)
                                         : since(t.started, now);
  last.error = outcome.error;
  last.receipt = outcome.receipt;
  t.record.run = last.run;
  just_ended_.push_back(last);
}

/// Tells whoever follows tasks how this one stands now.
void task_book::tell(task& t, time_point now, effects& out) {
  out.emplace_back(task_event{next_event_++, wall(now), t.record, std::exchange(just_ended_, {})});
}

/// Terminal tasks past what is to be retained; never the one that has just ended.
void task_book::forget_old() {
  while (ended_.size() > 1 &&
         (ended_.size() > options_.retain_tasks || ended_bytes_ > options_.retain_bytes)) {
    auto id = std::move(ended_.front());
    ended_.pop_front();
    forget(id);
  }
}

void task_book::forget(const task_id& id) {
  auto found = tasks_.find(id);
  ended_bytes_ -= found->second.spec.input.str().size() + found->second.record.output.str().size();
  order_.erase(found->second.number);
  tasks_.erase(found);
}

unix_time task_book::wall(time_point now) const {
  return std::chrono::duration_cast<millis>(now.time_since_epoch()) + options_.unix_offset;
}

void task_book::cancel(task& t, time_point now, effects& out) {
  if (t.phase == phase::done)
    return;
  if (t.phase == phase::waiting)
    out.emplace_back(withdraw{t.spec.id});
  t.record.error = {ec::canceled, "canceled on request"};
  if (t.phase == phase::running) {
    out.emplace_back(cancel_attempt{t.spec.id, t.attempt});
    attempt_outcome canceled; // the pool's own word on it comes later, and changes nothing
    canceled.verdict = verdict::canceled;
    canceled.error = t.record.error;
    end_attempt(t, canceled, now);
  }
  finish(t, task_state::canceled, now, out);
}

void task_book::set_due(task& t, std::optional<time_point> due) {
  if (t.due)
    dues_.erase({*t.due, t.spec.id});
  t.due = due;
  if (due)
    dues_.insert({*due, t.spec.id});
}

millis task_book::backoff(std::uint32_t attempts) {
  // Exponential with full jitter: anything from nothing to the bound, so that tasks that failed
  // together do not come back together.
  auto bound = options_.retry_backoff;
  for (std::uint32_t i = 1; i < attempts && bound < options_.max_retry_backoff; ++i)
    bound *= 2;
  bound = std::min(bound, options_.max_retry_backoff);
  return millis{std::uniform_int_distribution<millis::rep>{0, bound.count()}(chance_)};
}

} // namespace rolecall
