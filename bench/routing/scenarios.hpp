#pragma once

#include "app/simulate/scenario.hpp"

#include <functional>
#include <string>
#include <vector>

/// The scenarios on which the routing policies are compared. Each is a function of a seed and of
/// the number of tasks alone; the fleets are the same for every seed.
namespace rolecall::bench {

struct named_scenario {
  std::string name;
  std::string about; ///< one line
  std::function<lab::scenario(std::uint64_t seed, std::size_t tasks)> make;
  bool bounded{true}; ///< whether the bounds mean something for it: nothing fails or times out
  std::string plot{}; ///< the line plot that it is a point of; may be empty
  double load{0};     ///< with a plot: where on it
};

std::vector<named_scenario> routing_scenarios();

} // namespace rolecall::bench
