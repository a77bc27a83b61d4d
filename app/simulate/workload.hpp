#pragma once

#include "app/simulate/distribution.hpp"
#include "app/simulate/scenario.hpp"

#include <functional>

/// Makers of tasks and agents for scenarios.
namespace rolecall::lab {

/// Tasks that come by chance (a Poisson process), whose rate may change with time.
struct arrivals {
  double per_second{1};
  double from_s{0};
  double until_s{0}; ///< 0: no end
  std::size_t most{~std::size_t{0}};
  /// Times the rate, at a time; none: 1 all the time. Never more than `most_factor`.
  std::function<double(double)> factor;
  double most_factor{1};
};

/// Appends tasks of one kind. One of `until_s` and `most` must bound them.
void add_tasks(scenario& into, std::uint32_t kind, const arrivals& when, const distribution& work,
               chance& random);

/// Brings the tasks into the order of their arrival. To be called after the last `add_tasks`.
void sort_tasks(scenario& into);

/// So many agents like this one, with speeds at even quantiles of a lognormal distribution whose
/// mean is scaled to be exactly 1: the same fleet for every seed.
std::vector<agent_model> agents_of_many_speeds(agent_model like, std::size_t count, double sigma);

/// Seconds of work at speed 1 that all agents together can do in a second while all are well.
double capacity_of(const scenario& what);

} // namespace rolecall::lab
