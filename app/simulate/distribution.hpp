#pragma once

#include <cstdint>
#include <random>

/// The lab: a discrete-event simulation that runs the production cores under a virtual clock.
namespace rolecall::lab {

/// Seeded chance. Made from the generator's bits alone, so that a seed means the same with every
/// standard library.
class chance {
public:
  explicit chance(std::uint64_t seed) : bits_{seed} {}

  /// From 0 (included) to 1 (not included).
  double uniform() { return static_cast<double>(bits_() >> 11) * 0x1.0p-53; }
  /// From 0 to `count` - 1.
  std::size_t below(std::size_t count) {
    return static_cast<std::size_t>(uniform() * static_cast<double>(count));
  }
  double exponential(double mean);
  double normal(); ///< mean 0, deviation 1 (Box and Muller)

private:
  std::mt19937_64 bits_;
};

/// How long something takes.
struct distribution {
  enum class shape : std::uint8_t { constant, exponential, lognormal, pareto };

  shape form{shape::constant};
  double mean{1};
  /// Lognormal: deviation of the logarithm, at least 0. Pareto: its exponent alpha, more than 1.
  double spread{1};
  double most{1'000}; ///< Pareto: its largest value over its smallest

  static distribution constant(double mean) { return {shape::constant, mean}; }
  static distribution exponential(double mean) { return {shape::exponential, mean}; }
  static distribution lognormal(double mean, double sigma) {
    return {shape::lognormal, mean, sigma};
  }
  static distribution pareto(double mean, double alpha, double most = 1'000) {
    return {shape::pareto, mean, alpha, most};
  }

  double sample(chance& random) const;
};

} // namespace rolecall::lab
