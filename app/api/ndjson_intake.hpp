#pragma once

#include "app/api/problem.hpp"
#include "messages/tasks.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace rolecall::api {

/// Takes a stream of NDJSON apart into tasks, and words the answers, a line each, in the order of
/// the lines. Pure; keeps no more than one unfinished line and what was fed and not yet settled.
///
/// Whoever uses it feeds a piece, then submits what `batch` gives until that is empty, and says
/// each time what came of it.
class ndjson_intake {
public:
  struct options {
    std::size_t max_line_bytes{64u << 20};
    std::string traceparent{};
    std::function<std::string()> make_id; ///< for tasks without one
  };

  explicit ndjson_intake(options settings) : options_{std::move(settings)} {}

  void feed(std::string_view piece);
  /// There will be no more: what is left is the last line.
  void end();

  /// The next tasks to be submitted together; empty if there are none. Answers to lines before them
  /// that are no tasks are moved to the output first.
  std::vector<task_spec> batch();
  /// The batch was accepted: each of its tasks. Some were known already.
  void accepted(const std::set<task_id>& known);
  /// The batch was refused. It is tried again in smaller ones; gives false if it was of one task,
  /// and the reason may pass: then somebody has to wait before the next `batch`.
  bool refused(const problem_details& why);

  /// The batch is refused for good.
  void refuse_batch(const problem_details& why);

  /// The answers so far, each a line; they are forgotten here.
  std::string take_output() { return std::exchange(output_, {}); }
  /// The last line of the answer.
  std::string summary() const;

private:
  struct line {
    std::uint64_t number;
    std::variant<task_spec, problem_details> what;
  };

  void read_line(std::string_view text);
  void answer(std::uint64_t number, const task_spec& task, bool known);
  void answer(std::uint64_t number, const problem_details& why);

  static constexpr std::size_t max_batch = 256;

  options options_;
  std::string rest_;     // of a line that has not ended
  bool skipping_{false}; // a line that is too long
  std::uint64_t lines_{0};
  std::deque<line> pending_;
  std::size_t in_batch_{0};
  std::size_t batch_limit_{max_batch};
  std::string output_;
  std::uint64_t accepted_{0};
  std::uint64_t refused_{0};
};

} // namespace rolecall::api
