#include "actors/router/latency_model.hpp"

#include <algorithm>
#include <cmath>

namespace rolecall {

namespace {

constexpr std::size_t max_classes = 1'024; // past it: all others are one class
constexpr double most_weight = 1.0 / 8;    // of one sample, once there are some
constexpr double least_weight = 1.0 / 64;
constexpr double recent_weight = 1.0 / 4;
constexpr double margin = 3; // standard deviations
constexpr double least_variance = 0.01;
constexpr double rate_seconds = 10; // over which completions are counted

} // namespace

void latency_model::learn(const std::string& task_class, agent_speed& agent, double micros,
                          time_point now) {
  micros = std::clamp(micros, 1.0, 1e13);
  auto& its_class = state_of(task_class);
  if (its_class.samples == 0)
    add(its_class, micros, std::exp(agent.log_factor));
  auto x = std::log(micros) - its_class.log_mean;
  auto passed = std::max(0.0, std::chrono::duration<double>(now - agent.at).count());
  auto decay = std::exp(-passed / std::chrono::duration<double>(tau_).count());
  ++agent.samples;
  // The first samples count as much as that nothing is known of the agent: that it is like others.
  auto weight =
      std::max({1.0 / (1 + agent.samples), std::min(most_weight, 1 - decay), least_weight});
  auto off = x - agent.log_factor;
  agent.log_factor += weight * off;
  agent.recent =
      agent.samples == 1 ? agent.log_factor : agent.recent + recent_weight * (x - agent.recent);
  agent.at = now;
  auto spread = std::sqrt(variance_ * recent_weight / (2 - recent_weight));
  if (agent.samples > 4 && std::abs(agent.recent - agent.log_factor) > margin * spread)
    agent.log_factor = agent.recent; // it is not what it was
  else
    variance_ =
        std::max(least_variance, variance_ + (std::min(off * off, 9 * variance_) - variance_) / 64);
  agent.log_factor = std::clamp(agent.log_factor, -10.0, 10.0);
  auto factor = std::exp(agent.log_factor);
  if (its_class.samples > 1 || all_.samples > 0)
    add(its_class, micros, factor);
  add(all_, micros, factor);
  auto since = std::max(0.0, std::chrono::duration<double>(now - completed_at_).count());
  completions_ = completions_ * std::exp(-since / rate_seconds) + 1 / rate_seconds;
  completed_at_ = now;
}

double latency_model::served(time_point now) const {
  auto passed = std::max(0.0, std::chrono::duration<double>(now - completed_at_).count());
  return completions_ * std::exp(-passed / rate_seconds) * all_.mean / 1e6;
}

void latency_model::learn_at_least(const std::string& task_class, agent_speed& agent, double micros,
                                   time_point now) {
  auto found = classes_.find(task_class);
  if (found != classes_.end() && micros > found->second.mean * std::exp(agent.log_factor))
    learn(task_class, agent, micros, now);
}

double latency_model::class_mean(const std::string& task_class) const {
  auto found = classes_.find(task_class);
  return found == classes_.end() ? all_.mean : found->second.mean;
}

void latency_model::add(class_state& to, double micros, double factor) {
  ++to.samples;
  auto weight = std::max(1.0 / to.samples, 1.0 / 256);
  to.log_mean += weight * (std::log(micros / factor) - to.log_mean);
  to.mean += weight * (micros / factor - to.mean);
  to.samples = std::min(to.samples, 1'000'000u);
}

latency_model::class_state& latency_model::state_of(const std::string& task_class) {
  if (auto found = classes_.find(task_class); found != classes_.end())
    return found->second;
  return classes_[classes_.size() < max_classes ? task_class : std::string{}];
}

} // namespace rolecall
