#pragma once

#include <functional>
#include <string>
#include <vector>

namespace rolecall::client {

/// A task that is to be retried.
struct retry_candidate {
  std::string id;
  bool has_causes{false}; ///< it may have ended as it did because of tasks that it depends on
};

/// Calls `act` for each of these tasks, in their order but that a task comes after those of them
/// that it depends on: a retry takes up the retries of its dependencies only if they are there.
/// `needs` gives the dependencies of a task. Ends early, with false, if `act` gives false.
bool causes_first(const std::vector<retry_candidate>& tasks,
                  const std::function<std::vector<std::string>(const std::string&)>& needs,
                  const std::function<bool(const std::string&)>& act);

} // namespace rolecall::client
