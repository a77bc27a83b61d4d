#pragma once

#include "messages/values.hpp"

#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace rolecall {

/// What came of a batch, counted from the records of its tasks.
struct run_summary {
  std::size_t submitted{0};
  std::size_t completed{0};
  std::size_t failed{0}; ///< rejected ones too
  std::size_t canceled{0};
  millis wall{0};
  millis run_total{0};             ///< sum of the tasks' execution times
  std::uint64_t agents_spawned{0}; ///< as services confirmed them
  std::uint64_t retries{0};        ///< attempts beyond each task's first

  double success_rate() const; ///< completed / submitted
  double speedup() const;      ///< run_total / wall
};

run_summary summarize(const std::vector<task_record>& tasks, millis wall,
                      std::uint64_t agents_spawned);

/// The report of `--json`: {"tasks":[...],"summary":{...}}.
nlohmann::ordered_json report(const std::vector<task_record>& tasks, const run_summary& summary);

/// The same summary for people, several lines.
std::string to_text(const run_summary& summary);

/// "1.23s", "45ms": a length of time for people.
std::string short_time(millis value);

/// One line that says what a task gave: the output's "summary" if it has one, else its start; or
/// the error. At most `width` characters, without control characters.
std::string gist(const task_record& task, std::size_t width);

} // namespace rolecall
