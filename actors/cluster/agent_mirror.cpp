#include "actors/cluster/agent_mirror.hpp"

namespace rolecall {

std::optional<agent_event> agent_mirror::on_event(const agent_event& event) {
  const auto& key = event.agent.key;
  if (key.node != self_)
    return std::nullopt;
  if (event.change == agent_change::down)
    own_.erase(key);
  else
    own_[key] = event.agent;
  if (withdrawn_)
    return std::nullopt;
  auto result = event;
  result.sequence = ++sequence_;
  return result;
}

void agent_mirror::on_snapshot(const agent_snapshot& snapshot) {
  own_.clear();
  for (const auto& record : snapshot.agents)
    if (record.key.node == self_)
      own_[record.key] = record;
  ++sequence_;
}

agent_snapshot agent_mirror::withdraw() {
  withdrawn_ = true;
  ++sequence_;
  return own();
}

agent_snapshot agent_mirror::own() const {
  agent_snapshot result{sequence_, {}};
  if (!withdrawn_)
    for (const auto& [key, record] : own_)
      result.agents.push_back(record);
  return result;
}

const agent_record* agent_mirror::find(const agent_key& key) const {
  auto found = own_.find(key);
  return found == own_.end() ? nullptr : &found->second;
}

agent_mirror::changes agent_mirror::on_peer_snapshot(const node_name& peer,
                                                     const agent_snapshot& snapshot) {
  auto own = snapshot;
  std::erase_if(own.agents, [&](const auto& record) { return record.key.node != peer; });
  return peers_[peer].on_snapshot(own); // nobody writes the records of others
}

agent_mirror::changes agent_mirror::on_peer_event(const node_name& peer, const agent_event& event) {
  return peers_[peer].on_event(event, event.agent.key.node == peer);
}

agent_mirror::changes agent_mirror::on_peer_gone(const node_name& peer) {
  auto known = peers_.extract(peer);
  return known.empty() ? changes{} : known.mapped().on_gone();
}

std::size_t agent_mirror::agents_of(const node_name& peer) const {
  auto found = peers_.find(peer);
  return found == peers_.end() ? 0 : found->second.agents();
}

std::uint64_t agent_mirror::lag(const node_name& peer, std::uint64_t latest) const {
  auto found = peers_.find(peer);
  auto known = found == peers_.end() ? 0 : found->second.sequence().value_or(0);
  return latest > known ? latest - known : 0;
}

} // namespace rolecall
