#pragma once

#include <array>
#include <chrono>
#include <cstdint>

namespace rolecall {

/// How many tasks an agent of a role is worth being given at the same time: with more of them some
/// agents do more in total (they wait for something), others only take longer for each (they
/// compute). What the agents do together is counted by how much each has in the mean, in powers of
/// two; twice as many are worth it if at least 60 % more is done: then each takes no more than a
/// quarter longer.
///
/// It begins in the middle, at the root of the limit, and has the next tried for as long as it
/// takes to see the difference: twice the time of a task. What was seen is forgotten, and tried
/// again, once the role has done 64 times as much as its agents can have at the same time.
class useful_load {
public:
  using time_point = std::chrono::steady_clock::time_point;

  /// To be called before the number of tasks that the agents have changes.
  /// @param in_flight how many they have had since the last change
  /// @param agents how many may be used
  void follow(std::uint64_t in_flight, std::uint64_t agents, time_point now);
  /// One has been completed, after `follow`.
  /// @param work how long it takes in relation to others; about 1
  /// @param slots how many the agents can have at the same time
  void completed(double work, std::uint64_t slots);
  /// How many of `limit` are of use; at least 1.
  /// @param at_least fewer are not tried: more than so many are there whatever this says
  std::uint32_t of(std::uint32_t limit, double at_least) const;

private:
  /// What was seen while each agent had about this power of two in the mean.
  struct level {
    double agent_seconds{0};
    double task_seconds{0};
    double work{0};
    double completions{0};
    bool known{false};

    double throughput() const { return work / agent_seconds; }
    double mean_in_flight() const { return task_seconds / agent_seconds; }
  };
  static constexpr std::size_t count = 17; // up to 65,536

  static std::size_t level_of(double in_flight);
  /// Whether the one above is worth it.
  bool gains_above(std::size_t index) const;

  std::array<level, count> levels_{};
  std::size_t now_at_{0}; // level
  std::uint64_t agents_{1};
  time_point last_{};
};

} // namespace rolecall
