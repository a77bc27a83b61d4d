#pragma once

#include "actors/registry/agent_follower.hpp"
#include "messages/cluster.hpp"

#include <map>

namespace rolecall {

/// What peers are told of this node's agents, and what is known here of theirs. The node is the
/// only writer of its agents' records; a peer's are copied into the registry as that one tells
/// them, and go when the link with it does.
///
/// What a node tells of its agents has a sequence of its own, without gaps: whoever misses an event
/// asks for the snapshot.
class agent_mirror {
public:
  explicit agent_mirror(node_name self = {}) : self_{std::move(self)} {}

  // -- this node's agents
  // ----------------------------------------------------------------------------
  /// An event of the registry, as peers are to be told it; none if it is not about an own agent.
  std::optional<agent_event> on_event(const agent_event& event);
  /// A snapshot of the registry: peers need one too afterwards.
  void on_snapshot(const agent_snapshot& snapshot);
  /// From here on peers are told that there are no agents: the node is about to go. Gives what they
  /// are to be told for it.
  agent_snapshot withdraw();
  agent_snapshot own() const;
  std::uint64_t sequence() const noexcept { return sequence_; }
  /// Null if there is none. Valid until the next change.
  const agent_record* find(const agent_key& key) const;

  // -- those of peers
  // --------------------------------------------------------------------------------
  /// What is to be done in the registry.
  using changes = agent_follower::changes;
  changes on_peer_snapshot(const node_name& peer, const agent_snapshot& snapshot);
  changes on_peer_event(const node_name& peer, const agent_event& event);
  changes on_peer_gone(const node_name& peer);
  std::size_t agents_of(const node_name& peer) const;
  /// How many of the events up to `latest` have not come.
  std::uint64_t lag(const node_name& peer, std::uint64_t latest) const;

private:
  node_name self_;
  bool withdrawn_{false};
  std::uint64_t sequence_{0};
  std::map<agent_key, agent_record> own_;
  std::map<node_name, agent_follower> peers_;
};

} // namespace rolecall
