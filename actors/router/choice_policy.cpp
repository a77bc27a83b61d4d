#include "actors/router/choice_policy.hpp"

#include <cmath>

namespace rolecall {

namespace {

constexpr double retry_cost = 4; // of a failed attempt, in times of a completed one

struct least_requests : choice_policy {
  agent_pool::standing stand(const routed_agent& a, double, time_point) const override {
    return {static_cast<double>(a.in_flight), 1};
  }
  looks to_look_at() const override { return {1, 0}; }
  bool better(const choice_option& a, const choice_option& b) const override {
    return a.agent->in_flight < b.agent->in_flight;
  }
};

/// By lot: the order is of no use.
struct lots : choice_policy {
  agent_pool::standing stand(const routed_agent&, double, time_point) const override {
    return {0, 1};
  }
  looks to_look_at() const override { return {0, 1}; }
  bool better(const choice_option&, const choice_option&) const override { return false; }
};

/// The power of two choices (Mitzenmacher 2001), as Envoy's least request.
struct two_choices : lots {
  looks to_look_at() const override { return {0, 2}; }
  bool better(const choice_option& a, const choice_option& b) const override {
    return a.agent->in_flight < b.agent->in_flight;
  }
};

/// Each in its turn: who has had none for the longest.
struct round_robin : choice_policy {
  agent_pool::standing stand(const routed_agent& a, double, time_point) const override {
    return {static_cast<double>(a.taken_at), 1};
  }
  looks to_look_at() const override { return {1, 0}; }
  bool better(const choice_option& a, const choice_option& b) const override {
    return a.agent->taken_at < b.agent->taken_at;
  }
};

struct adaptive : choice_policy {
  explicit adaptive(score_weights weights) : weights_{weights} {}

  agent_pool::standing stand(const routed_agent& a, double mean_limit,
                             time_point now) const override {
    auto failures = failure_factor(a.health.success(now), weights_.success);
    return {expected_factor(a, mean_limit, now) * failures, a.speed.factor * failures};
  }
  // Those that the order puts first; by lot some whose place in it may be out of date.
  looks to_look_at() const override { return {8, 2}; }
  bool better(const choice_option& a, const choice_option& b) const override {
    if (a.reserved != b.reserved)
      return b.reserved;
    if (a.terms.hot != b.terms.hot)
      return b.terms.hot;
    return a.terms.score < b.terms.score;
  }
  bool scores() const override { return true; }

private:
  score_weights weights_;
};

} // namespace

double failure_factor(double success, double weight) {
  if (success >= 1)
    return 1;
  success = std::max(success, 0.02);
  return std::pow(1 + retry_cost * (1 - success) / success, weight);
}

double expected_factor(const routed_agent& a, double mean_limit, routed_agent::time_point now) {
  // What an agent that works on several tasks takes already tells of how many it has: counted in
  // full, it would count twice.
  if (a.limit(now) <= 1)
    return a.speed.factor;
  return std::sqrt(a.speed.factor) * (1 + a.in_flight * mean_limit / a.limit(now));
}

std::unique_ptr<choice_policy> make_policy(routing_policy which, score_weights weights) {
  switch (which) {
  case routing_policy::least_requests: return std::make_unique<least_requests>();
  case routing_policy::p2c: return std::make_unique<two_choices>();
  case routing_policy::round_robin: return std::make_unique<round_robin>();
  case routing_policy::random: return std::make_unique<lots>();
  case routing_policy::adaptive: break;
  }
  return std::make_unique<adaptive>(weights);
}

} // namespace rolecall
