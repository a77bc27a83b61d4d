#include "actors/registry/agent_follower.hpp"

namespace rolecall {

agent_follower::changes agent_follower::on_snapshot(const agent_snapshot& snapshot) {
  changes result;
  std::set<agent_key> present;
  for (const auto& record : snapshot.agents)
    present.insert(record.key);
  for (const auto& key : keys_)
    if (!present.contains(key))
      result.remove.push_back(key);
  result.put = snapshot.agents;
  keys_ = std::move(present);
  sequence_ = snapshot.sequence;
  return result;
}

agent_follower::changes agent_follower::on_event(const agent_event& event, bool counts) {
  changes result;
  if (!sequence_ || event.sequence <= *sequence_)
    return result; // a snapshot is on its way, or has told it already
  if (event.sequence != *sequence_ + 1) {
    sequence_.reset();
    result.gap = true;
    return result;
  }
  sequence_ = event.sequence;
  const auto& key = event.agent.key;
  if (counts && event.change != agent_change::down) {
    keys_.insert(key);
    result.put.push_back(event.agent);
  } else if (counts && keys_.erase(key) > 0) {
    result.remove.push_back(key);
  }
  return result;
}

agent_follower::changes agent_follower::on_gone() {
  changes result;
  result.remove.assign(keys_.begin(), keys_.end());
  keys_.clear();
  sequence_.reset();
  return result;
}

} // namespace rolecall
