#pragma once

#include "app/simulate/simulation.hpp"

#include <vector>

namespace rolecall::lab {

/// What a run is judged by. Times are from a task's arrival to its end; a task that did not
/// complete counts as if it had taken at least its attempt's time limit, so that failing fast wins
/// nothing.
struct figures {
  double mean_s{0};
  double p50_s{0};
  double p99_s{0};
  double p999_s{0};
  double wait_mean_s{0}; ///< until the first attempt
  double success{0};     ///< share of tasks that completed
  double timeouts{0};    ///< attempts, as a share of the tasks
  double attempts{0};    ///< per task
  /// Jain's index over the tenants, of the work done for each until the last arrival against its
  /// max-min fair share of what the agents can do; 1: each got its share.
  double fairness{1};
  double agent_seconds{0};
  double busy{0}; ///< share of the agent-seconds in which there was something to do
};

figures figures_of(const scenario& what, const run_result& result);

/// The times of one tenant's tasks alone.
figures figures_of(const scenario& what, const run_result& result, const std::string& tenant);

/// The value at a share (0 to 1) of sorted values, by the nearest rank; 0 if there are none.
double quantile(const std::vector<double>& sorted, double share);

/// Jain, Chiu, Hawe 1984: from 1 / count (one has it all) to 1 (all have the same).
double jain_index(const std::vector<double>& shares);

/// Max-min fair division: nobody gets more than he asks for, and what one leaves goes to the
/// others.
std::vector<double> max_min_shares(const std::vector<double>& asked, double capacity);

/// The median of each figure over several runs.
figures median_of(const std::vector<figures>& runs);

} // namespace rolecall::lab
