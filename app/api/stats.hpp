#pragma once

#include "messages/tasks.hpp"

#include <array>
#include <cstdint>
#include <deque>
#include <optional>

namespace rolecall::api {

/// Whether an event is the first of its task.
bool is_acceptance(const task_event& event);

/// How long things took: counts on a logarithmic scale, eight steps to each doubling, so that a
/// percentile is at most 9 % too high. From 1 ms to 12 days; bounded memory.
class duration_histogram {
public:
  void add(millis value);
  void add(const duration_histogram& other);
  std::uint64_t count() const noexcept { return count_; }
  /// In milliseconds; none if nothing was added. `share` is from 0 to 1.
  std::optional<double> percentile(double share) const;

private:
  static constexpr std::size_t steps = 240;
  static std::size_t step_of(millis value);

  std::array<std::uint32_t, steps> counts_{};
  std::uint64_t count_{0};
};

/// What happened in one span of time.
struct stats_bucket {
  std::int64_t number{0}; ///< of the span since 1970
  std::uint64_t accepted{0};
  std::array<std::uint64_t, 6> ended{}; ///< by terminal state
  duration_histogram latency;           ///< from submit to result
};

/// What happened to tasks in the last 15 minutes and since the start, counted from their events.
class stats {
public:
  static constexpr std::int64_t bucket_ms = 10'000;
  static constexpr std::int64_t bucket_count = 90;

  void add(const task_event& event);
  /// A task of earlier times, as it stands.
  void adopt(const task_record& task);

  /// The spans up to now, the oldest first: always `bucket_count` of them.
  std::deque<stats_bucket> window(unix_time now) const;
  std::uint64_t total(task_state state) const { return totals_[static_cast<std::size_t>(state)]; }
  std::uint64_t accepted() const noexcept { return accepted_; }
  std::uint64_t retries() const noexcept { return retries_; }
  std::uint64_t working() const noexcept { return working_; }
  std::uint64_t open() const noexcept { return open_; }

private:
  stats_bucket& bucket_at(unix_time at);

  std::deque<stats_bucket> buckets_; // the oldest first; those without events are left out
  std::array<std::uint64_t, 6> totals_{};
  std::uint64_t accepted_{0};
  std::uint64_t retries_{0};
  std::uint64_t working_{0};
  std::uint64_t open_{0};
};

} // namespace rolecall::api
