#include "app/simulate/distribution.hpp"

#include <cmath>
#include <numbers>

namespace rolecall::lab {

double chance::exponential(double mean) {
  return -mean * std::log1p(-uniform());
}

double chance::normal() {
  auto radius = std::sqrt(-2 * std::log1p(-uniform()));
  return radius * std::cos(2 * std::numbers::pi * uniform());
}

double distribution::sample(chance& random) const {
  switch (form) {
  case shape::constant: return mean;
  case shape::exponential: return random.exponential(mean);
  case shape::lognormal: return mean * std::exp(spread * random.normal() - spread * spread / 2);
  case shape::pareto: break;
  }
  // Bounded Pareto from 1 to `most`, by inversion; then scaled to the mean.
  auto tail = std::pow(most, -spread);
  auto value = std::pow(1 - random.uniform() * (1 - tail), -1 / spread);
  auto unscaled = spread / (spread - 1) * (1 - std::pow(most, 1 - spread)) / (1 - tail);
  return mean * value / unscaled;
}

} // namespace rolecall::lab
