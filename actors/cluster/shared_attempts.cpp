#include "actors/cluster/shared_attempts.hpp"

#include <algorithm>
#include <utility>

namespace rolecall {

// -- of this node's tasks
// ----------------------------------------------------------------------------

void shared_attempts::sent(const attempt_request& request, time_point now) {
  const auto& node = request.agent.node;
  sent_.insert_or_assign({request.task, request.attempt},
                         remote{node, request.agent, now + request.timeout + grace});
  ++sent_to_[node];
}

std::optional<node_name> shared_attempts::where(const attempt_key& attempt) const {
  auto found = sent_.find(attempt);
  return found == sent_.end() ? std::nullopt : std::optional{found->second.node};
}

bool shared_attempts::ended(const attempt_key& attempt, const node_name& node) {
  auto found = sent_.find(attempt);
  if (found == sent_.end() || found->second.node != node)
    return false;
  sent_.erase(found);
  --sent_to_[node];
  return true;
}

attempt_outcome shared_attempts::lost(const attempt_key& attempt, const remote& r,
                                      const std::string& why) const {
  attempt_outcome result;
  result.task = attempt.task;
  result.attempt = attempt.attempt;
  result.agent = r.agent;
  result.verdict = verdict::retryable;
  result.error = {ec::node_stopped,
                  "the node \"" + r.node.str() + "\", which ran it, is gone: " + why};
  return result;
}

std::vector<attempt_outcome> shared_attempts::lose(const node_name& node, const std::string& why) {
  std::vector<attempt_outcome> result;
  for (const auto& [attempt, r] : sent_)
    if (r.node == node)
      result.push_back(lost(attempt, r, why));
  std::erase_if(sent_, [&](const auto& entry) { return entry.second.node == node; });
  sent_to_.erase(node);
  return result;
}

std::vector<attempt_outcome> shared_attempts::lose_overdue(time_point now) {
  std::vector<attempt_outcome> result;
  for (const auto& [attempt, r] : sent_)
    if (r.due < now)
      result.push_back(lost(attempt, r, "its outcome has not come in time"));
  for (const auto& outcome : result)
    ended({outcome.task, outcome.attempt}, outcome.agent.node);
  return result;
}

std::size_t shared_attempts::running_on(const node_name& node) const {
  auto found = sent_to_.find(node);
  return found == sent_to_.end() ? 0 : found->second;
}

// -- of peers' tasks
// ---------------------------------------------------------------------------------

bool shared_attempts::serve(const node_name& origin, const attempt_key& attempt,
                            const agent_key& agent) {
  if (!served_.emplace(attempt, local{origin, agent}).second)
    return false;
  ++peers_[origin].serving[agent];
  peers_[origin].stale.insert(agent);
  return true;
}

std::optional<node_name> shared_attempts::served(const attempt_key& attempt) {
  auto found = served_.extract(attempt);
  if (found.empty())
    return std::nullopt;
  const auto& [origin, agent] = found.mapped();
  auto& peer = peers_[origin];
  peer.stale.insert(agent);
  if (auto count = peer.serving.find(agent); count != peer.serving.end() && --count->second == 0)
    peer.serving.erase(count);
  return origin;
}

bool shared_attempts::serves(const node_name& origin, const attempt_key& attempt) const {
  auto found = served_.find(attempt);
  return found != served_.end() && found->second.origin == origin;
}

std::vector<attempt_key> shared_attempts::abandon(const node_name& origin) {
  std::vector<attempt_key> result;
  for (const auto& [attempt, l] : served_)
    if (l.origin == origin)
      result.push_back(attempt);
  for (const auto& attempt : result)
    served_.erase(attempt);
  peers_.erase(origin);
  return result;
}

std::size_t shared_attempts::served_for(const node_name& origin) const {
  auto found = peers_.find(origin);
  std::size_t result = 0;
  if (found != peers_.end())
    for (const auto& [agent, count] : found->second.serving)
      result += count;
  return result;
}

// -- how busy this node's agents are
// -----------------------------------------------------------------

void shared_attempts::on_use(const agent_use& use) {
  if (use.in_flight == 0)
    uses_.erase(use.agent);
  else
    uses_[use.agent] = use.in_flight;
  for (auto& [node, peer] : peers_)
    peer.stale.insert(use.agent);
}

std::vector<agent_use> shared_attempts::news_for(const node_name& name) {
  std::vector<agent_use> result;
  auto& peer = peers_[name];
  auto value = [](const auto& map, const agent_key& key) {
    auto found = map.find(key);
    return found == map.end() ? 0u : found->second;
  };
  for (const auto& agent : std::exchange(peer.stale, {})) {
    auto all = value(uses_, agent);
    auto others = all - std::min(all, value(peer.serving, agent));
    if (others == value(peer.told, agent))
      continue;
    result.push_back({agent, others});
    if (others == 0)
      peer.told.erase(agent);
    else
      peer.told[agent] = others;
  }
  return result;
}

void shared_attempts::forget_told(const node_name& name) {
  auto& peer = peers_[name];
  peer.told.clear();
  for (const auto& [agent, count] : uses_)
    peer.stale.insert(agent);
}

} // namespace rolecall
