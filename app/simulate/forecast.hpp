#pragma once

#include "app/config.hpp"
#include "app/simulate/figures.hpp"
#include "app/simulate/timed_tasks.hpp"

namespace rolecall {

/// What a user's tasks are simulated with.
struct forecast_options {
  std::map<std::string, double> durations; ///< role → mean, in seconds; "" for all others
  double spread{0.5};     ///< deviation of the logarithm of durations that are not known; 0: none
  double over_s{0};       ///< tasks come by chance within so many seconds; 0: as the file says
  std::uint32_t limit{1}; ///< tasks at the same time per agent
  double spawn_delay_s{1};
  std::uint64_t seed{1};
};

/// Roles whose tasks take nobody knows how long.
std::vector<std::string> roles_without_duration(const timed_tasks& tasks,
                                                const forecast_options& options);

/// The tasks as a scenario, all agents equal and well. With `agents` so many for each role, all the
/// time; without, as the configuration scales them. `tasks` and `settings` outlive it.
lab::scenario scenario_of(const timed_tasks& tasks, const config& settings,
                          const forecast_options& options, std::optional<std::uint32_t> agents);

/// What would come of it.
struct forecast {
  std::optional<std::uint32_t> agents; ///< of each role; none: as configured
  lab::figures figures;
  double all_done_s{0};
  std::size_t most_agents{0}; ///< of all roles together, at the same time
};

/// Throws std::runtime_error if it can never end.
forecast make_forecast(const timed_tasks& tasks, const config& settings,
                       const forecast_options& options, std::optional<std::uint32_t> agents);

} // namespace rolecall
