#pragma once

#include "messages/values.hpp"

#include <optional>
#include <unordered_map>
#include <vector>

namespace rolecall {

/// The pool's core: which worker runs which attempt, and how many each agent has.
class attempt_slots {
public:
  explicit attempt_slots(std::size_t workers = 1) : load_(workers, 0) {}

  /// The worker with the least to do, or none if the agent is at its limit, or the attempt runs.
  std::optional<std::size_t> take(const attempt_request& request);
  /// Gives the slot back; none if no such attempt runs.
  std::optional<std::size_t> release(const attempt_key& attempt);
  /// The worker that runs an attempt.
  std::optional<std::size_t> find(const attempt_key& attempt) const;
  /// What a worker runs.
  std::vector<std::pair<attempt_key, agent_key>> of_worker(std::size_t worker) const;

private:
  struct slot {
    std::size_t worker;
    agent_key agent;
  };

  std::vector<std::size_t> load_; // attempts per worker
  std::unordered_map<attempt_key, slot> attempts_;
  std::unordered_map<agent_key, std::uint32_t> in_flight_;
};

} // namespace rolecall
