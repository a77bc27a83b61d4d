// Which agent a request goes to.
#include "actors/router/routing_table.hpp"

namespace rolecall {

/// Those that could be given the request now, in the order of their keys.
std::vector<routing_table::agent*> routing_table::free_for(const placement_request& request,
                                                           role_state& role, time_point now) {
  std::vector<agent*> fresh;
  std::vector<agent*> tried;
  auto other = false; // somebody else could take it, if not now
  for (auto& [key, a] : role.agents) {
    if (!a.usable(now) || !a.has(request.skills))
      continue;
    auto avoided =
        std::find(request.avoid.begin(), request.avoid.end(), key) != request.avoid.end();
    other = other || !avoided;
    if (a.free_slot())
      (avoided ? tried : fresh).push_back(&a);
  }
  return other ? fresh : tried;
}

/// By the role's policy; `free` is not empty.
routing_table::agent* routing_table::choose(const std::vector<agent*>& free, const role_name& name,
                                            role_state& role) {
  auto draw = [&](std::size_t count) {
    return std::uniform_int_distribution<std::size_t>{0, count - 1}(chance_);
  };
  switch (options_.policy_of(name)) {
  case routing_policy::least_requests:
    return *std::min_element(free.begin(), free.end(), [](const auto* a, const auto* b) {
      return a->in_flight < b->in_flight;
    });
  case routing_policy::p2c: {
    auto* a = free[draw(free.size())];
    auto* b = free[draw(free.size())];
    return b->in_flight < a->in_flight ? b : a;
  }
  case routing_policy::round_robin: {
    auto after = std::find_if(free.begin(), free.end(),
                              [&](const auto* a) { return role.last_taken < a->record.key; });
    auto* next = after == free.end() ? free.front() : *after;
    role.last_taken = next->record.key;
    return next;
  }
  case routing_policy::random: return free[draw(free.size())];
  case routing_policy::adaptive: break;
  }
  auto better = [](const auto* a, const auto* b) { return a->merit() > b->merit(); };
  return *std::min_element(free.begin(), free.end(), better);
}

} // namespace rolecall
