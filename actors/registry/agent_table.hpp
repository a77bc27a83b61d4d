#pragma once

#include "messages/events.hpp"

#include <map>
#include <optional>
#include <set>

namespace rolecall {

/// The registry's core: all agent records, and the number of the last change.
class agent_table {
public:
  /// What a `put` did: an event for the subscribers, or none if the record was too old.
  std::optional<agent_event> put(agent_record record);
  /// The event for the subscribers, or none if there was no such record.
  std::optional<agent_event> remove(const agent_key& key);

  /// Null if there is none. Valid until the next change.
  const agent_record* find(const agent_key& key) const;
  std::size_t size() const noexcept { return agents_.size(); }
  std::vector<agent_record> list() const;
  std::vector<agent_record> list(const role_name& role) const;
  agent_snapshot snapshot() const;

private:
  std::uint64_t sequence_{0};
  std::map<agent_key, agent_record> agents_;
  std::map<role_name, std::set<agent_key>> by_role_;
};

} // namespace rolecall
