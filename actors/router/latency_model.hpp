#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <unordered_map>

namespace rolecall {

/// How much slower an agent is than the mean of its role, whatever it works on; in the logarithm,
/// as the times of tasks are spread by factors. 0: as fast as the mean.
struct agent_speed {
  double log_factor{0};
  double recent{0}; ///< the same over the last few attempts
  std::uint32_t samples{0};
  std::chrono::steady_clock::time_point at{};
};

/// How long the tasks of a role take: a mean for each class of tasks, and each agent's speed in
/// relation to it, so that what an agent does in one class tells of its speed in all.
///
/// The agent's speed is a peak EWMA (Finagle): a change for the worse is believed at once, if it is
/// more than the spread of the tasks explains (three standard deviations of the last few attempts);
/// what is not is averaged over `tau`, and over 8 attempts at the least.
class latency_model {
public:
  using time_point = std::chrono::steady_clock::time_point;

  explicit latency_model(std::chrono::milliseconds tau = std::chrono::seconds{10}) : tau_{tau} {}

  /// A completed attempt of this class took so long on this agent.
  void learn(const std::string& task_class, agent_speed& agent, double micros, time_point now);
  /// An attempt was cut off after so long: it counts only if it was longer than expected.
  void learn_at_least(const std::string& task_class, agent_speed& agent, double micros,
                      time_point now);

  /// What tasks of the class take on a mean agent, microseconds; 0 if nothing is known.
  double class_mean(const std::string& task_class) const;
  /// Of all that was done, whatever its class.
  double mean() const noexcept { return all_.mean; }
  /// How many mean agents the completed work has kept busy of late.
  double served(time_point now) const;

private:
  struct class_state {
    double log_mean{0};
    double mean{0};
    std::uint32_t samples{0};
  };

  static void add(class_state& to, double micros, double factor);
  class_state& state_of(const std::string& task_class);

  std::chrono::milliseconds tau_;
  std::unordered_map<std::string, class_state> classes_; // no more than max_classes
  class_state all_;
  double completions_{0}; // per second, at `completed_at_`
  time_point completed_at_{};
  double variance_{0.25}; // of the logarithm of a task's time about what is expected
};

} // namespace rolecall
