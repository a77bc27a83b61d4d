#include "actors/router/latency_model.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

namespace rolecall {

namespace {

constexpr std::size_t max_classes = 1'024; // past it: all others are one class
constexpr double most_weight = 1.0 / 8;    // of one sample, once there are some
constexpr double least_weight = 1.0 / 64;
constexpr double recent_weight = 1.0 / 4;
constexpr double margin = 3; // standard deviations
constexpr double least_variance = 0.01;
constexpr double rate_seconds = 10;
constexpr double trait_prior = 4; // that a trait has no effect, in attempts
constexpr double least_trait_weight = 1.0 / 32;
constexpr double small_trait = 0.1; // squared: a smaller one tells little
constexpr double most_effect = 3;

} // namespace

void trait_effect::learn(double trait, double off, double least, double most) {
  if (trait == 0)
    return;
  samples_ = std::min(samples_ + 1, 1'000u);
  auto weight = std::max(1 / (trait_prior + samples_), least_trait_weight);
  slope_ += weight * off * trait / (trait * trait + small_trait);
  slope_ = std::clamp(slope_, least, most);
}

void work_rate::add(double micros, time_point now) {
  rate_ = at(now) + micros / 1e6 / rate_seconds;
  latest_ = now;
}

double work_rate::at(time_point now) const {
  auto passed = std::max(0.0, std::chrono::duration<double>(now - latest_).count());
  return rate_ * std::exp(-passed / rate_seconds);
}

void latency_model::learn(const attempt_kind& kind, agent_speed& agent, double micros,
                          time_point now) {
  micros = std::clamp(micros, 1.0, 1e13);
  auto& its_class = state_of(kind.task_class);
  auto traits = traits_of(kind);
  if (its_class.samples == 0)
    add(its_class, micros, agent.factor * traits);
  auto x = std::log(micros / traits) - its_class.log_mean;
  auto passed = std::max(0.0, std::chrono::duration<double>(now - agent.at).count());
  auto decay = std::exp(-passed / std::chrono::duration<double>(tau_).count());
  ++agent.samples;
  // The first samples count as much as that nothing is known of the agent: that it is like others.
  auto weight =
      std::max({1.0 / (1 + agent.samples), std::min(most_weight, 1 - decay), least_weight});
  auto off = x - agent.log_factor;
  lack_.learn(kind.lack, off, 0, most_effect);
  warmth_.learn(kind.warm ? 1 : 0, off, -most_effect, 0);
  auto explained = std::log(traits_of(kind) / std::exchange(traits, traits_of(kind)));
  x -= explained;
  off -= explained;
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
  agent.factor = std::exp(agent.log_factor);
  auto factor = agent.factor * traits;
  if (its_class.samples > 1 || all_.samples > 0)
    add(its_class, micros, factor);
  add(all_, micros, factor);
}

void latency_model::learn_at_least(const attempt_kind& kind, agent_speed& agent, double micros,
                                   time_point now) {
  if (classes_.contains(kind.task_class) && micros > expected(kind, agent))
    learn(kind, agent, micros, now);
}

double latency_model::expected(const attempt_kind& kind, const agent_speed& agent) const {
  return class_mean(kind.task_class) * agent.factor * traits_of(kind);
}

double latency_model::traits_of(const attempt_kind& kind) const {
  return lack_factor(kind.lack) * (kind.warm ? warm_factor() : 1);
}

double latency_model::lack_factor(double lack) const {
  return lack == 0 ? 1 : std::exp(lack_.of(lack));
}

double latency_model::warm_factor() const {
  return std::exp(warmth_.of(1));
}

double latency_model::class_mean(const std::string& task_class) const {
  auto found = classes_.find(task_class);
  return found == classes_.end() ? all_.mean : found->second.mean;
}

double latency_model::expected_left(double expected_us, double elapsed_us) const {
  if (expected_us <= 0 || elapsed_us <= 0)
    return expected_us;
  auto above = [](double z) { return 0.5 * std::erfc(z / std::numbers::sqrt2); };
  auto spread = std::sqrt(variance_);
  auto z = (std::log(elapsed_us / expected_us) + variance_ / 2) / spread;
  auto longer = above(z);
  if (longer < 1e-6)
    return elapsed_us; // it is not like the others: nothing is known
  return expected_us * above(z - spread) / longer - elapsed_us;
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
