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
    t.trace = hex(chance_()) + hex(chance_() | 1); // all zeros would be invalid
    t.record.id = spec.id;
    t.record.role = spec.role;
    order_[t.number] = spec.id;
    ++open_;
    out.emplace_back(t.record);
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
  t.phase = phase::running;
  t.started = now;
  t.record.state = task_state::working;
  t.record.attempts += 1;
  t.record.agent = p.agent.key;
  t.record.queued = since(t.submitted, now);
  t.record.run = millis{0};
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
  request.traceparent = "00-" + t.trace + "-" + hex(chance_() | 1) + "-01";
  out.emplace_back(t.record);
  out.emplace_back(std::move(request));
  return out;
}

task_book::effects task_book::on_refused(const placement_refused& refused, time_point) {
  effects out;
  auto found = tasks_.find(refused.task);
  if (found == tasks_.end() || found->second.phase != phase::waiting ||
      found->second.attempt != refused.attempt)
    return out;
  auto& t = found->second;
  auto first = t.record.attempts == 0;
  t.record.error = refused.error;
  finish(t, first && rejects(refused.error.kind) ? task_state::rejected : task_state::failed, out);
  return out;
}

task_book::effects task_book::on_outcome(const attempt_outcome& outcome, time_point now) {
  effects out;
  if (in_flight_.erase({outcome.task, outcome.attempt}) == 0) {
    ++late_outcomes_; // given up before, or said twice
    return out;
  }
  out.emplace_back(outcome);
  auto& t = tasks_.at(outcome.task);
  if (t.phase != phase::running || t.attempt != outcome.attempt) {
    ++late_outcomes_; // canceled in the meantime
    return out;
  }
  t.record.run = std::chrono::round<millis>(outcome.elapsed);
  switch (outcome.verdict) {
  case verdict::completed:
    t.record.output = outcome.output;
    t.record.error = {};
    finish(t, task_state::completed, out);
    break;
  case verdict::failed:
    t.record.error = outcome.error;
    finish(t, task_state::failed, out);
    break;
  case verdict::canceled:
    t.record.error = outcome.error;
    finish(t, task_state::canceled, out);
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
  for (const auto& [number, id] : order_)
    cancel(tasks_.at(id), now, out);
  return out;
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

// -- what can be asked
// -------------------------------------------------------------------------------

std::optional<task_book::time_point> task_book::next_due() const {
  return dues_.empty() ? std::nullopt : std::optional{dues_.begin()->first};
}

const task_record* task_book::find(const task_id& id) const {
  auto found = tasks_.find(id);
  return found == tasks_.end() ? nullptr : &found->second.record;
}

std::vector<task_record> task_book::list() const {
  std::vector<task_record> result;
  for (const auto& [number, id] : order_)
    result.push_back(tasks_.at(id).record);
  return result;
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
    finish(t, task_state::failed, out);
    return;
  }
  t.phase = phase::backing_off;
  t.record.state = task_state::submitted;
  t.record.error = std::move(why);
  set_due(t, now + backoff(t.record.attempts));
  out.emplace_back(t.record);
}

void task_book::finish(task& t, task_state state, effects& out) {
  set_due(t, std::nullopt);
  t.phase = phase::done;
  t.record.state = state;
  t.spec.input = {};
  --open_;
  out.emplace_back(t.record);
}

void task_book::cancel(task& t, time_point now, effects& out) {
  if (t.phase == phase::done)
    return;
  if (t.phase == phase::waiting)
    out.emplace_back(withdraw{t.spec.id});
  if (t.phase == phase::running) {
    out.emplace_back(cancel_attempt{t.spec.id, t.attempt});
    t.record.run = since(t.started, now);
  }
  t.record.error = {ec::canceled, "canceled on request"};
  finish(t, task_state::canceled, out);
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
