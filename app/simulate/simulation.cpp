#include "app/simulate/simulation.hpp"

#include <charconv>
#include <stdexcept>

namespace rolecall::lab {

namespace {

constexpr millis refusal_time{1}; // until a busy agent has said so
constexpr double longest_s = 1e7; // after the last arrival: then it never ends
constexpr auto shortest = std::chrono::microseconds{1};

std::uint32_t number_in(const std::string& text) {
  std::uint32_t number = 0;
  std::from_chars(text.data() + 1, text.data() + text.size(), number);
  return number;
}

} // namespace

simulation::simulation(const scenario& what, router_options options, std::uint64_t seed)
    : what_{what}, random_{seed}, table_{std::move(options)} {
  tasks_.resize(what.tasks.size());
  result_.tasks.resize(what.tasks.size());
  open_ = what.tasks.size();
  std::uint32_t contexts = 0;
  for (std::uint32_t i = 0; i < tasks_.size(); ++i) {
    contexts = std::max(contexts, what.tasks[i].context);
    for (auto needed : what.tasks[i].needs) {
      tasks_[needed].dependents.push_back(i);
      ++tasks_[i].blockers;
    }
  }
  last_agent_.resize(contexts + 1);
  if (what.scaling) {
    scaled_.emplace(*what.scaling, what.agents, table_, random_,
                    [this](const auto& record, const auto& model) { add_agent(record, model); });
    return;
  }
  agent_snapshot snapshot;
  for (const auto& model : what.agents) {
    agent_record record;
    record.key = {service_name{"lab"}, agent_id{"a" + std::to_string(snapshot.agents.size())}};
    record.role = model.role;
    record.skills = model.skills;
    record.max_concurrency = model.limit;
    record.limit_declared = model.limit_declared;
    record.revision = snapshot.agents.size() + 1;
    add_agent(record, model);
    snapshot.agents.push_back(std::move(record));
  }
  result_.most_agents = snapshot.agents.size();
  table_.reset(snapshot, now_);
}

run_result simulation::run() {
  auto last_arrival = what_.tasks.empty() ? 0 : what_.tasks.back().arrival_s;
  auto until = at_seconds(what_.run_until_s);
  auto end = at_seconds(std::max(last_arrival, what_.run_until_s) + longest_s);
  settle();
  while (open_ > 0 || (scaled_ && now_ < until)) {
    auto arrival = arrived_ < tasks_.size()
                       ? std::optional{at_seconds(what_.tasks[arrived_].arrival_s)}
                       : std::nullopt;
    if (!arrival && events_.empty())
      throw std::runtime_error("the simulation cannot end: " + std::to_string(open_) +
                               " tasks wait for what never comes");
    if (arrival && (events_.empty() || *arrival <= events_.top().at)) {
      now_ = std::max(now_, *arrival);
      arrive(arrived_++);
    } else {
      auto next = events_.top();
      events_.pop();
      now_ = next.at;
      if (now_ > end)
        throw std::runtime_error("the simulation does not end: " + std::to_string(open_) +
                                 " tasks still wait");
      handle(next);
    }
    settle();
  }
  result_.ended_s = seconds_of(now_);
  for (auto& s : stations_) {
    s.follow(now_);
    result_.busy_agent_seconds += s.busy_s();
  }
  if (scaled_) {
    result_.agent_seconds = scaled_->agent_seconds(now_);
    result_.most_agents = scaled_->most();
    result_.steps = scaled_->steps();
  } else {
    result_.agent_seconds = result_.ended_s * static_cast<double>(stations_.size());
  }
  return std::move(result_);
}

void simulation::schedule(time_point at, happening what, std::uint32_t subject,
                          std::uint32_t version) {
  events_.push({at, next_number_++, what, subject, version});
}

/// To be called after each change of what a station has to do.
void simulation::schedule_station(std::uint32_t index) {
  auto version = ++versions_[index];
  if (auto done = stations_[index].next_done())
    schedule(std::max(*done, now_), happening::done, index, version);
}

void simulation::handle(const event& e) {
  switch (e.what) {
  case happening::done:
    if (e.version != versions_[e.subject])
      return;
    if (auto task = stations_[e.subject].take_done(now_))
      end_attempt(*task, verdict::completed, {});
    schedule_station(e.subject);
    return;
  case happening::phase: {
    auto& s = stations_[e.subject];
    s.follow(now_);
    schedule_station(e.subject);
    if (auto next = s.next_phase())
      schedule(*next, happening::phase, e.subject, 0);
    return;
  }
  case happening::error: {
    auto& t = tasks_[e.subject];
    if (t.ended || !t.running || t.attempt != e.version)
      return;
    const auto& now_on = stations_[t.agent].current();
    auto park = millis{static_cast<millis::rep>(now_on.delay_s * 1'000)};
    if (now_on.how == condition::busy)
      end_attempt(e.subject, verdict::retryable, {ec::agent_busy, "429 Too Many Requests"}, park);
    else
      end_attempt(e.subject, verdict::retryable, {ec::http_status, "500 Internal Server Error"});
    return;
  }
  case happening::timeout: {
    auto& t = tasks_[e.subject];
    if (t.ended || !t.running || t.attempt != e.version)
      return;
    ++result_.timeouts;
    stop_work(e.subject);
    end_attempt(e.subject, verdict::retryable, {ec::timeout, "the attempt took too long"});
    return;
  }
  case happening::deadline: {
    auto& t = tasks_[e.subject];
    if (t.running) {
      stop_work(e.subject);
      attempt_outcome outcome;
      outcome.verdict = verdict::canceled;
      report(e.subject, std::move(outcome));
    } else if (!t.ended) {
      table_.withdraw(task_id{"t" + std::to_string(e.subject)});
    }
    end_task(e.subject, false);
    return;
  }
  case happening::retry:
    if (!tasks_[e.subject].ended)
      ask(e.subject);
    return;
  case happening::wake:
    if (wake_at_ == e.at)
      wake_at_.reset();
    return;
  case happening::fleet:
    if (fleet_at_ == e.at)
      fleet_at_.reset();
    scaled_->advance(now_);
    return;
  }
}

void simulation::arrive(std::uint32_t index) {
  auto& t = tasks_[index];
  budgets_.try_emplace(what_.kinds[what_.tasks[index].kind].role, what_.retry_budget)
      .first->second.first_attempt(now_);
  auto deadline = what_.kinds[what_.tasks[index].kind].deadline_s;
  if (!t.ended && deadline > 0)
    schedule(now_ + (at_seconds(deadline) - start_of_time), happening::deadline, index, 0);
  if (!t.ended && t.blockers == 0)
    ask(index);
}

/// Takes a task from its agent, whatever is left of it.
void simulation::stop_work(std::uint32_t index) {
  auto& t = tasks_[index];
  if (t.scripted)
    return;
  stations_[t.agent].stop(index, now_);
  schedule_station(t.agent);
}

/// Tells the routing table of the end of an attempt.
void simulation::report(std::uint32_t index, attempt_outcome outcome) {
  auto& t = tasks_[index];
  t.running = false;
  outcome.task = task_id{"t" + std::to_string(index)};
  outcome.attempt = t.attempt;
  outcome.agent = keys_[t.agent];
  outcome.elapsed = std::chrono::duration_cast<micros>(now_ - t.started);
  table_.finished(outcome, now_);
}

void simulation::ask(std::uint32_t index) {
  const auto& model = what_.tasks[index];
  const auto& kind = what_.kinds[model.kind];
  auto& t = tasks_[index];
  placement_request request;
  request.task = task_id{"t" + std::to_string(index)};
  request.attempt = ++t.attempt;
  request.role = kind.role;
  request.skills = kind.skills;
  request.priority = kind.priority;
  request.age = index + 1;
  request.avoid = t.tried;
  request.task_class = kind.task_class;
  request.fairness_key = kind.tenant;
  if (model.context != 0)
    request.context_id = "c" + std::to_string(model.context);
  table_.place(std::move(request));
}

void simulation::start(const placement& where) {
  auto index = number_in(where.task.str());
  const auto& model = what_.tasks[index];
  const auto& kind = what_.kinds[model.kind];
  auto& t = tasks_[index];
  t.agent = station_of_.at(where.agent.key);
  t.running = true;
  t.started = now_;
  ++result_.attempts;
  auto& end = result_.tasks[index];
  if (++end.attempts == 1)
    end.started_s = seconds_of(now_);
  auto& s = stations_[t.agent];
  s.follow(now_);
  schedule(now_ + std::chrono::duration_cast<clock::duration>(
                      std::chrono::duration<double>{kind.timeout_s}),
           happening::timeout, index, t.attempt);
  auto how = s.current().how;
  t.scripted = how == condition::fails || how == condition::busy;
  if (t.scripted) {
    auto delay =
        how == condition::busy
            ? clock::duration{refusal_time}
            : std::max<clock::duration>(shortest, at_seconds(s.current().delay_s) - start_of_time);
    schedule(now_ + delay, happening::error, index, t.attempt);
    return;
  }
  auto known = model.context != 0 && last_agent_[model.context] == t.agent + 1;
  auto work =
      model.work_s * s.model().factor(kind.skills).value_or(1) * (known ? what_.context_gain : 1);
  s.begin(index, work, now_);
  schedule_station(t.agent);
}

void simulation::end_attempt(std::uint32_t index, verdict how, failure error, millis park) {
  const auto& model = what_.tasks[index];
  const auto& kind = what_.kinds[model.kind];
  auto& t = tasks_[index];
  attempt_outcome outcome;
  outcome.verdict = how;
  outcome.error = std::move(error);
  outcome.park = park;
  report(index, outcome);
  if (how == verdict::completed) {
    if (model.context != 0)
      last_agent_[model.context] = t.agent + 1;
    return end_task(index, true);
  }
  t.tried.push_back(keys_[t.agent]);
  auto made = result_.tasks[index].attempts;
  if (!kind.retry.again(outcome) || made >= kind.retry.max_attempts)
    return end_task(index, false);
  auto bound = std::chrono::duration<double>{kind.retry.backoff_bound(made)}.count();
  auto wait = at_seconds(bound * random_.uniform()) - start_of_time;
  auto allowed = budgets_.at(kind.role).reserve(now_);
  schedule(std::max(now_ + wait, allowed), happening::retry, index, 0);
}

void simulation::end_task(std::uint32_t index, bool completed) {
  auto& t = tasks_[index];
  if (t.ended)
    return;
  t.ended = true;
  --open_;
  result_.tasks[index].ended_s = seconds_of(now_);
  result_.tasks[index].completed = completed;
  for (auto next : t.dependents) {
    auto& dependent = tasks_[next];
    --dependent.blockers;
    if (dependent.ended)
      continue;
    if (!completed && !what_.tasks[next].run_after_failure)
      end_task(next, false);
    else if (dependent.blockers == 0 && next < arrived_)
      ask(next);
  }
}

/// Carries out what has come of a change.
void simulation::settle() {
  for (const auto& decision : table_.dispatch(now_)) {
    if (const auto* where = std::get_if<placement>(&decision))
      start(*where);
    else
      end_task(number_in(std::get<placement_refused>(decision).task.str()), false);
  }
  if (scaled_) {
    scaled_->pass_on(now_);
  } else {
    table_.take_demand();
    table_.take_drained();
    table_.take_suspects();
  }
  arm();
}

void simulation::add_agent(const agent_record& record, const agent_model& model) {
  auto index = static_cast<std::uint32_t>(stations_.size());
  stations_.emplace_back(model, now_);
  versions_.push_back(0);
  keys_.push_back(record.key);
  station_of_.emplace(record.key, index);
  if (auto next = stations_.back().next_phase())
    schedule(*next, happening::phase, index, 0);
}

void simulation::arm() {
  auto later = [&](time_point at) { return std::max<time_point>(at, now_ + shortest); };
  if (auto due = table_.next_due(); due && (!wake_at_ || *due < *wake_at_)) {
    wake_at_ = later(*due);
    schedule(*wake_at_, happening::wake, 0, 0);
  }
  if (scaled_ && (!fleet_at_ || scaled_->next_due() < *fleet_at_)) {
    fleet_at_ = later(scaled_->next_due());
    schedule(*fleet_at_, happening::fleet, 0, 0);
  }
}

} // namespace rolecall::lab
