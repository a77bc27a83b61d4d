#include "actors/router/useful_load.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace rolecall {

namespace {

constexpr double fewest = 32;        // completions to know something
constexpr double turns = 2;          // times what agents have at the same time: as many as well
constexpr double known_until = 0.25; // of these
constexpr double remembered = 64;    // times what the agents can have at the same time
constexpr double least_gain = 0.6;   // in what is done, of that in the number at the same time

} // namespace

std::size_t useful_load::level_of(double in_flight) {
  auto index = std::lround(std::log2(std::max(1.0, in_flight)));
  return std::min(static_cast<std::size_t>(index), count - 1);
}

void useful_load::follow(std::uint64_t in_flight, std::uint64_t agents, time_point now) {
  auto seconds = std::max(0.0, std::chrono::duration<double>(now - last_).count());
  last_ = now;
  agents_ = std::max<std::uint64_t>(1, agents);
  auto of_each = static_cast<double>(in_flight) / static_cast<double>(agents_);
  now_at_ = level_of(of_each);
  if (2 * of_each < 1)
    return; // most of them had nothing to do: it says nothing
  auto& l = levels_[now_at_];
  l.agent_seconds += seconds * static_cast<double>(agents_);
  l.task_seconds += seconds * static_cast<double>(in_flight);
}

void useful_load::completed(double work, std::uint64_t slots) {
  auto keep = 1 - 1 / (remembered * static_cast<double>(std::max<std::uint64_t>(slots, 64)));
  levels_[now_at_].work += work;
  ++levels_[now_at_].completions;
  for (auto& l : levels_) {
    l.agent_seconds *= keep;
    l.task_seconds *= keep;
    l.work *= keep;
    l.completions *= keep;
    if (l.agent_seconds <= 0)
      continue;
    auto enough = std::max(fewest, turns * l.mean_in_flight() * static_cast<double>(agents_));
    l.known = l.completions >= enough * (l.known ? known_until : 1);
  }
}

bool useful_load::gains_above(std::size_t index) const {
  const auto& less = levels_[index];
  const auto& more = levels_[index + 1];
  auto wider = more.mean_in_flight() / less.mean_in_flight() - 1;
  return more.throughput() >= less.throughput() * (1 + least_gain * wider);
}

std::uint32_t useful_load::of(std::uint32_t limit, double at_least) const {
  auto top = static_cast<std::size_t>(std::bit_width(std::max(1u, limit) - 1));
  top = std::min(top, count - 1);
  auto of_level = [&](std::size_t index) { return std::min(std::max(1u, limit), 1u << index); };
  auto begin = (top + 1) / 2;
  auto at = begin;
  if (!levels_[at].known)
    return of_level(at);
  for (; at < top; ++at) {
    if (!levels_[at + 1].known)
      return of_level(at + 1);
    if (!gains_above(at))
      break;
  }
  if (at > begin)
    return of_level(at);
  for (; at > 0; --at) {
    if (!levels_[at - 1].known)
      return of_level(at - 1) < at_least ? of_level(at) : of_level(at - 1);
    if (gains_above(at - 1))
      break;
  }
  return of_level(at);
}

} // namespace rolecall
