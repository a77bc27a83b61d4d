#pragma once

#include <cstdint>

namespace rolecall {

/// How many attempts an agent gets at the same time where its service names no limit: as many as do
/// not make it slower. Gradient2 of Netflix's concurrency-limits:
/// `g = clamp(long / short, 0.5, 1)`, `limit = 0.8 · limit + 0.2 · (limit · g + 4)`.
class adaptive_limit {
public:
  explicit adaptive_limit(std::uint32_t most = 64);

  /// An attempt has completed after so many microseconds, while so many were in flight.
  void completed(double micros, std::uint32_t in_flight);
  /// The agent has said that it is too much, or did not answer in time.
  void refused();
  void set_most(std::uint32_t most);

  /// At least 1.
  std::uint32_t limit() const noexcept { return static_cast<std::uint32_t>(limit_); }

private:
  double most_;
  double limit_;
  double long_{0}; // moving averages of what attempts take
  double short_{0};
};

} // namespace rolecall
