// What the routing table has to do with other nodes.
#include "actors/router/demand_shares.hpp"
#include "actors/router/routing_table.hpp"

#include <numeric>

namespace rolecall {

void routing_table::learn(const agent_uses& uses, time_point now) {
  for (const auto& use : uses.agents)
    if (auto* a = find(use.agent); a && !is_own(use.agent)) {
      auto& role = roles_.at(a->record.role);
      role.follow_load(now);
      role.pool.set_others(*a, use.in_flight, now);
      changed_.insert(a->record.role);
    }
}

void routing_table::learn(peer_offers offers) {
  peer_offers_ = std::move(offers);
  learn_offers();
  for (const auto& [name, role] : roles_)
    if (!role.line.empty())
      demand_changed_.insert(name);
}

bool routing_table::admit(const task_id& task, std::uint32_t attempt, const agent_key& agent,
                          time_point now) {
  auto* a = find(agent);
  if (!a || !is_own(agent) || a->record.state != agent_state::ready || a->suspect ||
      !a->free_slot(now) || full() || running_.contains({task, attempt}))
    return false;
  const auto name = a->record.role;
  auto& role = role_of(name);
  placement_request of_peer;
  of_peer.role = name;
  running_.emplace(attempt_key{task, attempt},
                   running{agent, name, role.start(of_peer, *a), {}, 0, false, false, true});
  role.gate.started(now);
  role.follow_load(now);
  role.pool.started(*a, now);
  ++role.running;
  ++role.admitted;
  role.asked_own += 1;
  role.peak = std::max(role.peak, role.running);
  note_use(*a);
  changed_.insert(name);
  demand_changed_.insert(name);
  return true;
}

void routing_table::tell_uses() {
  telling_uses_ = true;
  for (const auto& [name, role] : roles_)
    for (const auto& [key, a] : role.pool.agents())
      note_use(a);
}

void routing_table::note_use(const routed_agent& a) {
  if (telling_uses_ && is_own(a.record.key))
    uses_[a.record.key] = a.in_flight;
}

agent_uses routing_table::take_uses() {
  agent_uses result;
  for (const auto& [key, in_flight] : std::exchange(uses_, {}))
    result.agents.push_back({key, in_flight});
  return result;
}

/// Leaves in a demand what this node's manager is to get agents for; the rest is for others.
void routing_table::split(role_demand& demand, routed_role& role) {
  auto fresh = static_cast<double>(role.asked - std::exchange(role.asked_seen, role.asked));
  if (peer_offers_.nodes.empty()) {
    role.asked_own += fresh;
    demand.asked = static_cast<std::uint64_t>(role.asked_own);
    return;
  }
  std::vector<const node_name*> nodes;
  std::vector<std::uint32_t> most{0};
  for (const auto& offer : directory_.offers)
    if (offer.role == demand.role)
      most[0] += offer.max_agents;
  for (const auto& peer : peer_offers_.nodes)
    for (const auto& offer : peer.offers)
      if (peer.up && offer.role == demand.role) {
        nodes.push_back(&peer.node);
        most.push_back(offer.max_agents);
      }
  auto sum = std::accumulate(most.begin(), most.end(), 0.0);
  role.asked_own += nodes.empty() || sum == 0 ? fresh : fresh * most[0] / sum;
  demand.asked = static_cast<std::uint64_t>(role.asked_own);
  auto waiting = split_demand(demand.waiting, most);
  auto unmatched = split_demand(demand.unmatched, most);
  auto told = [&](const node_name& node) {
    auto found = away_told_.find({node, demand.role});
    return found == away_told_.end() ? role_demand{demand.role} : found->second;
  };
  for (const auto& peer : peer_offers_.nodes) {
    role_demand share{demand.role};
    for (std::size_t i = 0; i < nodes.size(); ++i)
      if (*nodes[i] == peer.node) {
        share.waiting += waiting[i + 1];
        share.unmatched += unmatched[i + 1];
      }
    if (share == told(peer.node))
      continue;
    away_news_.push_back({peer.node, share});
    if (share.waiting == 0 && share.unmatched == 0)
      away_told_.erase({peer.node, demand.role});
    else
      away_told_[{peer.node, demand.role}] = share;
  }
  if (nodes.empty())
    return; // whoever may yet offer it, this node's manager has to tell if nobody does
  demand.waiting = waiting[0];
  demand.unmatched = unmatched[0];
}

} // namespace rolecall
