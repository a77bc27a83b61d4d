#pragma once

#include "app/simulate/figures.hpp"
#include "bench/routing/scenarios.hpp"

#include <filesystem>

namespace rolecall::bench {

struct measured_policy {
  std::string name;
  lab::figures figures;  ///< medians over the seeds
  double quiet_p99_s{0}; ///< of the tenant that does not flood, where there are tenants
};

/// A scenario and what came of it under each policy; the first is the one that is judged.
struct measured {
  named_scenario scenario;
  std::vector<measured_policy> policies;
  double relaxed_s{0}; ///< bounds of the mean; 0: none
  double clairvoyant_s{0};
};

/// The scenario as a small table for people.
std::string to_text(const measured& result);

/// What the first policy has won and lost.
std::string verdict_text(const std::vector<measured>& results);

/// Writes routing.md, routing.json, a plot of all scenarios and one for each line of loads.
void write_report(const std::vector<measured>& results, const std::filesystem::path& folder);

} // namespace rolecall::bench
