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
  double factor{1}; ///< the same as a multiple of the mean: e to the power of it
  double recent{0}; ///< `log_factor` over the last few attempts
  std::uint32_t samples{0};
  std::chrono::steady_clock::time_point at{};
};

/// What is known of an attempt beforehand and tells how long it takes.
struct attempt_kind {
  std::string task_class;
  double lack{0};   ///< of proficiency in the skills needed: minus the logarithm of it; 0: none
  bool warm{false}; ///< its agent was the last that worked on the task's context
};

/// How much something that is known of an attempt beforehand shows in the logarithm of its time:
/// the slope of a regression through 0, by normalised least mean squares.
class trait_effect {
public:
  /// What was more than all else explains, for so much of the trait.
  void learn(double trait, double off, double least, double most);
  double of(double trait) const noexcept { return slope_ * trait; }
  double slope() const noexcept { return slope_; }

private:
  double slope_{0};
  std::uint32_t samples_{0};
};

/// How much work is done per time, over the last ten seconds or so.
class work_rate {
public:
  using time_point = std::chrono::steady_clock::time_point;

  /// Work that takes a mean agent so long was done.
  void add(double micros, time_point now);
  /// How many mean agents it keeps busy.
  double at(time_point now) const;

private:
  double rate_{0}; // when the latest was done
  time_point latest_{};
};

/// How long the tasks of a role take: a mean for each class of tasks, each agent's speed in
/// relation to it, so that what an agent does in one class tells of its speed in all, and what a
/// lack of proficiency costs and a context that is still there saves.
///
/// The agent's speed is a peak EWMA (Finagle): a change for the worse is believed at once, if it is
/// more than the spread of the tasks explains (three standard deviations of the last few attempts);
/// what is not is averaged over `tau`, and over 8 attempts at the least.
class latency_model {
public:
  using time_point = std::chrono::steady_clock::time_point;

  explicit latency_model(std::chrono::milliseconds tau = std::chrono::seconds{10}) : tau_{tau} {}

  /// A completed attempt of this kind took so long on this agent.
  void learn(const attempt_kind& kind, agent_speed& agent, double micros, time_point now);
  /// An attempt was cut off after so long: it counts only if it was longer than expected.
  void learn_at_least(const attempt_kind& kind, agent_speed& agent, double micros, time_point now);

  /// What tasks of the class take on a mean agent, microseconds; 0 if nothing is known.
  double class_mean(const std::string& task_class) const;
  /// What an attempt of the kind takes there if the agent has nothing else to do, microseconds.
  double expected(const attempt_kind& kind, const agent_speed& agent) const;
  /// By what a lack of proficiency makes an attempt longer.
  double lack_factor(double lack) const;
  /// By what a context that is still there makes an attempt shorter.
  double warm_factor() const;
  /// How much longer an attempt will take that was expected to take so long and has taken that,
  /// microseconds; by the lognormal distribution that has the spread of the role's tasks.
  double expected_left(double expected_us, double elapsed_us) const;
  /// Of all that was done, whatever its class.
  double mean() const noexcept { return all_.mean; }

private:
  struct class_state {
    double log_mean{0};
    double mean{0};
    std::uint32_t samples{0};
  };

  double traits_of(const attempt_kind& kind) const;
  static void add(class_state& to, double micros, double factor);
  class_state& state_of(const std::string& task_class);

  std::chrono::milliseconds tau_;
  std::unordered_map<std::string, class_state> classes_; // no more than max_classes
  class_state all_;
  trait_effect lack_;
  trait_effect warmth_;
  double variance_{0.25}; // of the logarithm of a task's time about what is expected
};

} // namespace rolecall
