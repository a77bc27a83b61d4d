// What people and programs ask of the fleet: how it is, an agent more, an agent less.
#include "actors/manager/fleet.hpp"
#include "messages/duration.hpp"

#include <algorithm>

namespace rolecall {

bool fleet::checked() const {
  return std::all_of(services_.begin(), services_.end(),
                     [](const auto& entry) { return entry.second.checked; });
}

bool fleet::retired() const {
  auto under_way = [](const auto& entry) {
    return entry.second.ours && entry.second.record.state == agent_state::draining;
  };
  auto spawning = [](const auto& entry) { return entry.second.spawning > 0; };
  return std::none_of(agents_.begin(), agents_.end(), under_way) &&
         std::none_of(services_.begin(), services_.end(), spawning);
}

fleet_status fleet::status() const {
  fleet_status result;
  for (const auto& [name, s] : services_)
    result.services.push_back({name, s.config.url, s.reachable, s.problem, s.agents, s.held_by});
  result.roles = directory();
  for (const auto& [name, r] : roles_)
    result.role_states.push_back(status_of(r));
  result.spawned = spawned_;
  result.spawns_failed = spawns_failed_;
  result.retired = retired_;
  return result;
}

role_status fleet::status_of(const role& r) const {
  role_status result;
  result.role = r.name;
  result.ready = static_cast<std::uint32_t>(r.ready.size());
  result.draining = static_cast<std::uint32_t>(r.draining.size());
  result.unhealthy = static_cast<std::uint32_t>(r.unhealthy.size());
  result.starting = r.spawning;
  result.desired = r.kept();
  result.panic = r.scaler.panic();
  result.spawn_failures = r.failures;
  if (!now_)
    return result;
  result.spawn_backoff = std::max(millis{0}, std::chrono::ceil<millis>(r.spawn_not_before - *now_));
  auto oldest = r.scaler.oldest_spawn(*now_);
  if (r.trouble_since || (r.failures > 0 && result.ready < r.scaler.needed()))
    result.trouble = r.trouble;
  else if (oldest && *oldest >= options_.slow_spawn && result.ready < r.scaler.needed())
    result.trouble = {ec::no_agent, "its service was asked for an agent " +
                                        format_duration(*oldest) + " ago and has not answered"};
  else if (r.shortage.code.empty() && !r.unhealthy.empty() && result.ready < r.scaler.needed())
    result.trouble = trouble_of_unhealthy(r);
  else
    result.trouble = r.shortage;
  return result;
}

const service_config& fleet::config_of(const service_name& name) const {
  return services_.at(name).config;
}

role_directory fleet::directory() const {
  role_directory result;
  result.complete = std::all_of(services_.begin(), services_.end(),
                                [](const auto& entry) { return entry.second.told_roles; });
  for (const auto& config : options_.services) {
    const auto& s = services_.at(config.name);
    if (!s.held_by.empty())
      continue; // whoever manages it offers them
    for (auto offer : s.offers) {
      auto policy = policy_of(offer.role);
      offer.min_agents = policy.min_agents;
      offer.max_agents = policy.max_agents;
      result.offers.push_back(std::move(offer));
    }
  }
  return result;
}

std::variant<fleet::effects, failure> fleet::spawn_one(const role_name& name, std::uint64_t order) {
  if (retiring_)
    return failure{ec::shutting_down, "the node is shutting down"};
  auto* s = service_of(name);
  if (!s || !offer_of(name)) {
    for (const auto& [other_name, other] : services_)
      if (!other.told_roles)
        return failure{ec::service_unreachable,
                       "the agents service at " + other.config.url +
                           " has not told its roles yet: " + other.problem};
    return failure{ec::unknown_role, "no service offers the role \"" + name.str() + "\""};
  }
  if (!s->reachable)
    return failure{ec::service_unreachable,
                   "the agents service at " + s->config.url + " does not answer: " + s->problem};
  auto& r = role_of(name);
  auto most = r.policy.max_agents;
  if (r.count() + r.spawning >= most)
    return failure{ec::at_maximum, "the role \"" + name.str() +
                                       "\" has as many agents as it may "
                                       "have (max_agents is " +
                                       std::to_string(most) + ")"};
  if (options_.max_agents > 0 && agents_.size() + spawning_ >= options_.max_agents)
    return failure{ec::at_maximum, "all roles together have as many agents as they may have "
                                   "(scaling.max_agents is " +
                                       std::to_string(options_.max_agents) + ")"};
  effects out;
  s->limit.take_anyway(*now_);
  spawn(r, *s, order, out);
  return out;
}

std::optional<std::pair<agent_record, fleet::effects>> fleet::drain_one(const agent_key& key) {
  auto found = agents_.find(key);
  if (found == agents_.end())
    return std::nullopt;
  effects out;
  found->second.unwanted = true;
  if (found->second.record.state != agent_state::draining)
    set_state(found->second, agent_state::draining, out);
  return std::pair{found->second.record, std::move(out)};
}

} // namespace rolecall
