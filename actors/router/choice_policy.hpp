#pragma once

#include "actors/router/agent_pool.hpp"

#include <memory>

namespace rolecall {

/// How much each of the terms counts in the adaptive policy's score: their exponents. Skill and
/// affinity count by what they do to the times where that is more.
struct score_weights {
  double skill{0.5};
  double success{1};
  double affinity{0.3}; ///< 0 to 0.9: by so much an agent may be slower if the context is its own
};

/// An agent that a request could go to.
struct choice_option {
  routed_agent* agent{nullptr};
  score_terms terms;    ///< of the adaptive policy
  bool reserved{false}; ///< others want it more
};

/// How one is chosen among the agents that could take a request: an order in which they are kept,
/// how many of them are looked at, and which of those is the best. One object for each role.
class choice_policy {
public:
  using time_point = routed_agent::time_point;

  virtual ~choice_policy() = default;

  /// What an agent's place in the order is made of.
  virtual agent_pool::standing stand(const routed_agent& a, double mean_limit,
                                     time_point now) const = 0;
  /// How many of the first in the order are looked at, at the most, and how many are drawn by lot.
  struct looks {
    std::size_t first;
    std::size_t drawn;
  };
  virtual looks to_look_at() const = 0;
  /// Whether the first is to be preferred. If neither is, the one that was looked at first is
  /// taken.
  virtual bool better(const choice_option& a, const choice_option& b) const = 0;
  /// Whether the terms of the score are wanted.
  virtual bool scores() const { return false; }
};

std::unique_ptr<choice_policy> make_policy(routing_policy which, score_weights weights);

/// The time that a task is expected to take on an agent with what it has in flight, as a multiple
/// of its class's mean.
double expected_factor(const routed_agent& a, double mean_limit, routed_agent::time_point now);

/// What a share of successful attempts makes of an expected time: those that fail are tried again,
/// later and elsewhere, which costs more than the attempt alone.
double failure_factor(double success, double weight);

} // namespace rolecall
