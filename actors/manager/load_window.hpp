#pragma once

#include "messages/basics.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>

namespace rolecall {

/// What a level (work under way, agents needed) was over the last so long: its mean over time, and
/// its peak. The time before the first level counts as zero. Kept in slices of a sixtieth of the
/// span: memory and the cost of a change do not depend on how often it changes, and what is older
/// than the span is forgotten with the exactness of a slice. A clock that goes back stands still.
class load_window {
public:
  using time_point = std::chrono::steady_clock::time_point;

  explicit load_window(millis span);

  /// From `now` on the level is this.
  void set(double level, time_point now);
  /// The peak of the present slice is at least this, whatever the level is.
  void note(double level, time_point now);

  double mean(time_point now);
  double peak(time_point now);

private:
  static constexpr std::int64_t slices = 60;
  struct slice {
    double area{0}; // level times seconds
    double peak{0};
  };

  void advance(time_point now);
  slice& at(std::int64_t number) { return slices_[static_cast<std::size_t>(number % slots)]; }
  std::chrono::nanoseconds since_start(std::int64_t number) const { return number * width_; }

  static constexpr std::int64_t slots = slices + 1; // the present one is not whole yet
  std::chrono::nanoseconds width_;
  std::array<slice, slots> slices_{};
  std::optional<time_point> start_;
  std::chrono::nanoseconds last_{0}; // since the start
  std::int64_t current_{0};
  double level_{0};
};

} // namespace rolecall
