#include "app/api/stats.hpp"

#include <algorithm>
#include <cmath>

namespace rolecall::api {

bool is_acceptance(const task_event& event) {
  const auto& task = *event.task;
  return task.state == task_state::submitted && event.ended.empty() && task.attempts == 0 &&
         task.error.code.empty();
}

std::size_t duration_histogram::step_of(millis value) {
  if (value <= millis{1})
    return 0;
  auto step = std::ceil(std::log2(static_cast<double>(value.count())) * 8);
  return std::min(steps - 1, static_cast<std::size_t>(step));
}

void duration_histogram::add(millis value) {
  ++counts_[step_of(value)];
  ++count_;
}

void duration_histogram::add(const duration_histogram& other) {
  for (std::size_t i = 0; i < steps; ++i)
    counts_[i] += other.counts_[i];
  count_ += other.count_;
}

std::optional<double> duration_histogram::percentile(double share) const {
  if (count_ == 0)
    return std::nullopt;
  auto rank = std::max(1.0, std::ceil(share * static_cast<double>(count_)));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < steps; ++i) {
    seen += counts_[i];
    if (static_cast<double>(seen) >= rank)
      return std::round(std::exp2(static_cast<double>(i) / 8) * 10) / 10;
  }
  return std::nullopt;
}

void stats::add(const task_event& event) {
  const auto& task = *event.task;
  if (is_acceptance(event)) {
    ++accepted_;
    ++open_;
    ++bucket_at(event.at).accepted;
  }
  auto works = task.state == task_state::working;
  if (works && !event.hedge && event.ended.empty()) {
    ++working_;
    retries_ += task.attempts > 1 ? 1 : 0;
  }
  // An agent that turns out to be busy ends no attempt: there was none.
  auto busy = task.state == task_state::submitted && !is_acceptance(event);
  if (!works && (busy || !event.ended.empty()))
    working_ -= std::min<std::uint64_t>(working_, 1);
  if (!is_terminal(task.state))
    return;
  open_ -= open_ > 0 ? 1 : 0;
  ++totals_[static_cast<std::size_t>(task.state)];
  auto& bucket = bucket_at(event.at);
  ++bucket.ended[static_cast<std::size_t>(task.state)];
  bucket.latency.add(task.finished_at - task.submitted_at);
}

void stats::adopt(const task_record& task) {
  open_ += is_terminal(task.state) ? 0 : 1;
  working_ += task.state == task_state::working ? 1 : 0;
}

stats_bucket& stats::bucket_at(unix_time at) {
  auto number = at.count() / bucket_ms;
  // Time does not run backwards here: events come in order.
  if (buckets_.empty() || buckets_.back().number < number) {
    buckets_.emplace_back();
    buckets_.back().number = number;
  }
  while (buckets_.front().number <= number - bucket_count)
    buckets_.pop_front();
  return buckets_.back();
}

std::deque<stats_bucket> stats::window(unix_time now) const {
  std::deque<stats_bucket> result;
  auto last = now.count() / bucket_ms;
  auto known = buckets_.begin();
  for (auto number = last - bucket_count + 1; number <= last; ++number) {
    while (known != buckets_.end() && known->number < number)
      ++known;
    if (known != buckets_.end() && known->number == number) {
      result.push_back(*known);
    } else {
      result.emplace_back();
      result.back().number = number;
    }
  }
  return result;
}

} // namespace rolecall::api
