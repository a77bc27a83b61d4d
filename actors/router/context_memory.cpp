#include "actors/router/context_memory.hpp"

namespace rolecall {

void context_memory::note(const std::string& context, const agent_key& agent) {
  if (auto known = places_.find(context); known != places_.end()) {
    known->second->second = agent;
    recent_.splice(recent_.begin(), recent_, known->second);
    return;
  }
  if (recent_.size() >= max_contexts) {
    places_.erase(recent_.back().first);
    recent_.pop_back();
  }
  recent_.emplace_front(context, agent);
  places_.emplace(context, recent_.begin());
}

const agent_key* context_memory::last(const std::string& context) const {
  auto known = places_.find(context);
  return known == places_.end() ? nullptr : &known->second->second;
}

} // namespace rolecall
