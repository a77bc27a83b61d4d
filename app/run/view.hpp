#pragma once

#include "app/run/summary.hpp"

#include <chrono>
#include <cstdio>
#include <memory>

namespace rolecall {

enum class verbosity { quiet, normal, verbose };

/// How a run shows itself to people while it goes on.
class run_view {
public:
  using time_point = std::chrono::steady_clock::time_point;

  virtual ~run_view() = default;
  /// All tasks as they are at the start, in the order of the batch.
  virtual void start(const std::vector<task_record>& tasks, time_point now) = 0;
  /// A task has changed.
  virtual void update(const task_record& task, time_point now) = 0;
  /// Some time has passed.
  virtual void tick(time_point now) = 0;
  /// A remark that is not about one task.
  virtual void note(const std::string& text) = 0;
  /// The last word.
  virtual void finish(const run_summary& summary, time_point now) = 0;
};

/// Lines for a pipe: one for each change worth knowing (verbose: for each change); quiet: only the
/// summary. `silent_end` leaves the summary out (a report says it already).
std::unique_ptr<run_view> make_line_view(std::FILE* out, verbosity level, bool silent_end);

/// A picture for a terminal, drawn anew in place: a line a task, and a progress bar.
std::unique_ptr<run_view> make_live_view(std::FILE* out);

/// The live view's picture as lines of at most `columns` characters, at most `rows` of them; if not
/// all tasks fit, what runs and what failed goes first. Pure, so that it can be tested.
struct live_task {
  task_record record;
  std::chrono::steady_clock::time_point changed;
};
std::vector<std::string> draw(const std::vector<live_task>& tasks, millis elapsed,
                              std::chrono::steady_clock::time_point now, std::size_t columns,
                              std::size_t rows);

} // namespace rolecall
