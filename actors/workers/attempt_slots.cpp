#include "actors/workers/attempt_slots.hpp"

#include <algorithm>

namespace rolecall {

std::optional<std::size_t> attempt_slots::take(const attempt_request& request) {
  attempt_key key{request.task, request.attempt};
  if (attempts_.contains(key))
    return std::nullopt;
  auto& running = in_flight_[request.agent];
  if (running >= std::max(1u, request.max_concurrency))
    return std::nullopt;
  auto least = std::min_element(load_.begin(), load_.end());
  auto worker = static_cast<std::size_t>(least - load_.begin());
  ++*least;
  ++running;
  attempts_.emplace(std::move(key), slot{worker, request.agent});
  return worker;
}

std::optional<std::size_t> attempt_slots::release(const attempt_key& attempt) {
  auto found = attempts_.find(attempt);
  if (found == attempts_.end())
    return std::nullopt;
  auto worker = found->second.worker;
  --load_[worker];
  if (auto count = in_flight_.find(found->second.agent); --count->second == 0)
    in_flight_.erase(count);
  attempts_.erase(found);
  return worker;
}

std::optional<std::size_t> attempt_slots::find(const attempt_key& attempt) const {
  auto found = attempts_.find(attempt);
  return found == attempts_.end() ? std::nullopt : std::optional{found->second.worker};
}

std::vector<std::pair<attempt_key, agent_key>> attempt_slots::of_worker(std::size_t worker) const {
  std::vector<std::pair<attempt_key, agent_key>> result;
  for (const auto& [key, slot] : attempts_)
    if (slot.worker == worker)
      result.emplace_back(key, slot.agent);
  return result;
}

} // namespace rolecall
