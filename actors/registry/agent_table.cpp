#include "actors/registry/agent_table.hpp"

namespace rolecall {

std::optional<agent_event> agent_table::put(agent_record record) {
  auto [known, fresh] = agents_.try_emplace(record.key);
  auto change = fresh ? agent_change::up : agent_change::changed;
  if (!fresh) {
    if (record.revision <= known->second.revision)
      return std::nullopt;
    by_role_[known->second.role].erase(record.key);
  }
  by_role_[record.role].insert(record.key);
  known->second = record;
  return agent_event{++sequence_, change, std::move(record)};
}

std::optional<agent_event> agent_table::remove(const agent_key& key) {
  auto known = agents_.find(key);
  if (known == agents_.end())
    return std::nullopt;
  auto record = std::move(known->second);
  agents_.erase(known);
  auto role = by_role_.find(record.role);
  role->second.erase(key);
  if (role->second.empty())
    by_role_.erase(role);
  return agent_event{++sequence_, agent_change::down, std::move(record)};
}

const agent_record* agent_table::find(const agent_key& key) const {
  auto known = agents_.find(key);
  return known == agents_.end() ? nullptr : &known->second;
}

std::vector<agent_record> agent_table::list() const {
  std::vector<agent_record> result;
  result.reserve(agents_.size());
  for (const auto& [key, record] : agents_)
    result.push_back(record);
  return result;
}

std::vector<agent_record> agent_table::list(const role_name& role) const {
  std::vector<agent_record> result;
  if (auto keys = by_role_.find(role); keys != by_role_.end())
    for (const auto& key : keys->second)
      result.push_back(agents_.at(key));
  return result;
}

agent_snapshot agent_table::snapshot() const {
  return {sequence_, list()};
}

} // namespace rolecall
