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
  changes result;
  auto& known = peers_[peer];
  std::set<agent_key> present;
  for (const auto& record : snapshot.agents)
    if (record.key.node == peer) { // nobody writes the records of others
      present.insert(record.key);
      result.put.push_back(record);
    }
  for (const auto& key : known.keys)
    if (!present.contains(key))
      result.remove.push_back(key);
  known.keys = std::move(present);
  known.sequence = snapshot.sequence;
  return result;
}

agent_mirror::changes agent_mirror::on_peer_event(const node_name& peer, const agent_event& event) {
  changes result;
  auto& known = peers_[peer];
  if (!known.sequence || event.sequence <= *known.sequence)
    return result; // a snapshot is on its way, or has told it already
  if (event.sequence != *known.sequence + 1) {
    known.sequence.reset();
    result.gap = true;
    return result;
  }
  known.sequence = event.sequence;
  if (event.agent.key.node != peer)
    return result;
  if (event.change != agent_change::down) {
    known.keys.insert(event.agent.key);
    result.put.push_back(event.agent);
  } else if (known.keys.erase(event.agent.key) > 0) {
    result.remove.push_back(event.agent.key);
  }
  return result;
}

agent_mirror::changes agent_mirror::on_peer_gone(const node_name& peer) {
  changes result;
  if (auto known = peers_.extract(peer); !known.empty())
    result.remove.assign(known.mapped().keys.begin(), known.mapped().keys.end());
  return result;
}

std::size_t agent_mirror::agents_of(const node_name& peer) const {
  auto found = peers_.find(peer);
  return found == peers_.end() ? 0 : found->second.keys.size();
}

std::uint64_t agent_mirror::lag(const node_name& peer, std::uint64_t latest) const {
  auto found = peers_.find(peer);
  auto known = found == peers_.end() ? 0 : found->second.sequence.value_or(0);
  return latest > known ? latest - known : 0;
}

} // namespace rolecall
