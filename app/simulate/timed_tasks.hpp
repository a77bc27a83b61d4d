#pragma once

#include "app/run/batch.hpp"

#include <optional>
#include <string_view>
#include <variant>
#include <vector>

namespace rolecall {

/// A task of a user, with what is known of its times.
struct timed_task {
  task_spec spec;
  double arrival_s{0};
  std::optional<double> run_s; ///< how long its agent took; none: it is not known
};

/// The tasks of a file, in the order of their arrival.
struct timed_tasks {
  std::vector<timed_task> tasks;
  std::size_t left_out{0}; ///< of an export: those that have never run
};

/// Reads what `rolecall run` reads (all come at once), or what `rolecall export` prints (each comes
/// when it was submitted, and takes as long as its latest attempt took). Every problem is told,
/// those of dependencies too.
std::variant<timed_tasks, std::vector<problem>> read_timed_tasks(std::string_view text);

} // namespace rolecall
