#pragma once

#include "messages/cluster.hpp"

#include <chrono>
#include <map>
#include <optional>
#include <set>

namespace rolecall {

/// The attempts that cross a link: those of this node's tasks on agents of peers, and those of
/// peers' tasks on agents of this one; and what each peer has been told of how busy they are.
///
/// An attempt ends once: with its outcome, or with the link, whichever comes first. What comes
/// after is not known here any more.
class shared_attempts {
public:
  using time_point = std::chrono::steady_clock::time_point;

  /// Added to an attempt's own timeout before its outcome is not waited for any longer.
  static constexpr millis grace{10'000};

  // -- of this node's tasks
  // --------------------------------------------------------------------------
  void sent(const attempt_request& request, time_point now);
  /// Where it runs; none if it runs nowhere else.
  std::optional<node_name> where(const attempt_key& attempt) const;
  /// Its outcome has come from this node: false if it is not known, or ran on another one.
  bool ended(const attempt_key& attempt, const node_name& node);
  /// All that run on a node that is gone, and that end so.
  std::vector<attempt_outcome> lose(const node_name& node, const std::string& why);
  /// Those whose outcome has been waited for for too long.
  std::vector<attempt_outcome> lose_overdue(time_point now);
  std::size_t running_on(const node_name& node) const;

  // -- of peers' tasks
  // -------------------------------------------------------------------------------
  /// False if it is served already.
  bool serve(const node_name& origin, const attempt_key& attempt, const agent_key& agent);
  /// Its outcome is there: whose it was; none if that one is gone.
  std::optional<node_name> served(const attempt_key& attempt);
  bool serves(const node_name& origin, const attempt_key& attempt) const;
  /// A peer is gone: nobody waits for these any more.
  std::vector<attempt_key> abandon(const node_name& origin);
  std::size_t served_for(const node_name& origin) const;

  // -- how busy this node's agents are
  // ---------------------------------------------------------------
  /// All attempts of an agent, as the router counts them.
  void on_use(const agent_use& use);
  /// What a peer has not been told yet of attempts that are not its own.
  std::vector<agent_use> news_for(const node_name& peer);
  /// A peer that has just come knows nothing.
  void forget_told(const node_name& peer);

private:
  struct remote {
    node_name node;
    agent_key agent;
    time_point due;
  };
  struct local {
    node_name origin;
    agent_key agent;
  };
  struct peer_view {
    std::map<agent_key, std::uint32_t> serving;
    std::map<agent_key, std::uint32_t> told; // those that are not zero
    std::set<agent_key> stale;
  };

  attempt_outcome lost(const attempt_key& attempt, const remote& r, const std::string& why) const;
  void count(const node_name& origin, const agent_key& agent, int by);

  std::map<attempt_key, remote> sent_;
  std::map<node_name, std::size_t> sent_to_;
  std::map<attempt_key, local> served_;
  std::map<node_name, peer_view> peers_;
  std::map<agent_key, std::uint32_t> uses_;
};

} // namespace rolecall
