#pragma once

#include "messages/events.hpp"
#include "messages/node_questions.hpp"

#include <variant>

/// What nodes of a cluster say to each other, a `link_message` per frame, and how a cluster looks.
namespace rolecall {

/// Both ends of a link speak the same version, or there is no link. Grows with any change of what
/// is in here, or of the messages that are carried along.
constexpr std::uint32_t cluster_protocol = 2;

// -- how a link begins and ends
// ------------------------------------------------------------------------

/// The first word of both ends.
struct node_hello {
  std::string magic{"rolecall"};
  std::uint32_t protocol{cluster_protocol};
  std::string version; ///< of the program
  std::string cluster; ///< its name: strangers are not let in
  node_name node;
  std::uint64_t incarnation{0}; ///< another one after each start
  std::string address; ///< "host:port" under which it listens; without host: where it calls from;
                       ///< empty: it does not

  bool operator==(const node_hello&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, node_hello& x) {
  return f(x.magic, x.protocol, x.version, x.cluster, x.node, x.incarnation, x.address);
}

/// There will be no link.
struct node_refusal {
  std::string code;
  std::string message;

  bool operator==(const node_refusal&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, node_refusal& x) {
  return f(x.code, x.message);
}

/// The other end is let in. The node whose name is the smaller one says so first: it decides which
/// link stays if both have called each other.
struct node_welcome {
  bool operator==(const node_welcome&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, node_welcome&) {
  return f();
}

/// A node that is about to go: it takes nothing new, and ends what it has.
struct node_leaving {
  bool operator==(const node_leaving&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, node_leaving&) {
  return f();
}

/// Where a node can be called.
struct node_address {
  node_name node;
  std::string address;

  bool operator==(const node_address&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, node_address& x) {
  return f(x.node, x.address);
}

/// The nodes that somebody is linked with: any one that is up is enough to find the others.
struct node_list {
  std::vector<node_address> nodes;

  bool operator==(const node_list&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, node_list& x) {
  return f(x.nodes);
}

/// What a node tells of itself.
struct node_figures {
  std::string state; ///< "starting", "ready", "draining"
  unix_time started_at{0};
  std::uint64_t open_tasks{0};
  std::vector<service_status> services;

  bool operator==(const node_figures&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, node_figures& x) {
  return f(x.state, x.started_at, x.open_tasks, x.services);
}

/// Sent at intervals: whoever is silent for too long is gone.
struct heartbeat {
  std::uint64_t sent_us{0};  ///< by the sender's clock
  std::uint64_t sequence{0}; ///< of the latest event about its agents
  node_figures figures;

  bool operator==(const heartbeat&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, heartbeat& x) {
  return f(x.sent_us, x.sequence, x.figures);
}

/// The answer to a heartbeat, at once: tells how long the way is.
struct heartbeat_answer {
  std::uint64_t sent_us{0}; ///< as it came

  bool operator==(const heartbeat_answer&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, heartbeat_answer& x) {
  return f(x.sent_us);
}

// -- agents
// --------------------------------------------------------------------------------------------

/// An event is missing: the snapshot is wanted again.
struct agents_wanted {
  bool operator==(const agents_wanted&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, agents_wanted&) {
  return f();
}

/// How many attempts an agent has: all of them, or those of others, as is said where it is used.
struct agent_use {
  agent_key agent;
  std::uint32_t in_flight{0};

  bool operator==(const agent_use&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, agent_use& x) {
  return f(x.agent, x.in_flight);
}

/// Of agents of the sender: how many attempts others than the receiver have there.
struct agent_uses {
  std::vector<agent_use> agents;

  bool operator==(const agent_uses&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, agent_uses& x) {
  return f(x.agents);
}

/// A service that a node manages, or would manage: under what it is recognised, and since when the
/// node lays claim to it. The one with the earliest claim has it, of two equal ones the node with
/// the smaller name.
struct service_claim {
  std::string identity;
  std::uint64_t since_us{0}; ///< since 1970

  bool operator==(const service_claim&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, service_claim& x) {
  return f(x.identity, x.since_us);
}

struct service_claims {
  std::vector<service_claim> claims;

  bool operator==(const service_claims&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, service_claims& x) {
  return f(x.claims);
}

/// Services of this node that another one manages, and which.
struct service_holds {
  std::map<service_name, node_name> holders;

  bool operator==(const service_holds&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, service_holds& x) {
  return f(x.holders);
}

/// What the nodes of a cluster can spawn. Those of a node that is away are remembered: its tasks
/// wait for it, as they wait for a service that is away.
struct peer_offers {
  struct one {
    node_name node;
    bool up{false};
    std::vector<role_offer> offers;

    bool operator==(const one&) const = default;
  };
  std::vector<one> nodes; ///< without the node itself
  bool complete{false};   ///< false as long as a node that should be there may yet turn up

  bool operator==(const peer_offers&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, peer_offers::one& x) {
  return f(x.node, x.up, x.offers);
}
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, peer_offers& x) {
  return f(x.nodes, x.complete);
}

/// What waits at one node for agents that another one can spawn.
struct away_demand {
  node_name node; ///< which is to get them
  role_demand demand;

  bool operator==(const away_demand&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, away_demand& x) {
  return f(x.node, x.demand);
}

/// What all peers together want a manager to get agents for.
struct peer_demand {
  role_demand demand;

  bool operator==(const peer_demand&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, peer_demand& x) {
  return f(x.demand);
}

// -- attempts
// ------------------------------------------------------------------------------------------

/// An attempt is not wanted any more. Its outcome still comes.
struct attempt_cancel {
  task_id task;
  std::uint32_t attempt{0};

  bool operator==(const attempt_cancel&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, attempt_cancel& x) {
  return f(x.task, x.attempt);
}

// -- all of it
// -----------------------------------------------------------------------------------------

/// Everything that a frame can carry. The position is the tag on the wire: new ones go to the end.
/// `agent_snapshot` and `agent_event` tell of the sender's own agents, with a sequence of their
/// own; `role_directory` of what it can spawn; `role_demand` of what waits there for agents of the
/// receiver; `role_unavailable` that there will be none.
using link_message =
    std::variant<node_hello, node_refusal, node_welcome, node_leaving, node_list, heartbeat,
                 heartbeat_answer, agent_snapshot, agent_event, agents_wanted, agent_uses,
                 role_directory, role_demand, service_claims, attempt_request, attempt_cancel,
                 attempt_outcome, numbered_question, numbered_reply, role_unavailable>;

// -- how a cluster looks
// -------------------------------------------------------------------------------

/// A link as its node sees it.
struct link_status {
  node_name node;      ///< empty: nobody has answered there so far
  std::string address; ///< where it is called; empty: it called
  std::string state;   ///< "up", "leaving", "connecting", "refused", "unreachable"
  std::string problem; ///< why it is not up
  std::string version;
  millis since{0};           ///< it is in this state for so long
  micros round_trip{0};      ///< 0: not known yet
  std::uint64_t lag{0};      ///< events about its agents that have not come yet
  std::uint64_t agents{0};   ///< of it, that are known here
  std::uint64_t attempts{0}; ///< of this node's tasks that run there
  std::uint64_t serving{0};  ///< of its tasks that run here
  std::uint64_t sent{0};     ///< bytes
  std::uint64_t received{0}; ///< bytes
  std::uint64_t queued{0};   ///< bytes that are not sent yet
  std::uint64_t connects{0}; ///< times that it came up
  node_figures figures;

  bool operator==(const link_status&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, link_status& x) {
  return f(x.node, x.address, x.state, x.problem, x.version, x.since, x.round_trip, x.lag, x.agents,
           x.attempts, x.serving, x.sent, x.received, x.queued, x.connects, x.figures);
}

struct cluster_status {
  std::string cluster;
  std::string address; ///< where it listens; empty: it does not
  std::vector<link_status> links;
  std::uint64_t refused{0}; ///< connections that were not let in

  bool operator==(const cluster_status&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, cluster_status& x) {
  return f(x.cluster, x.address, x.links, x.refused);
}

} // namespace rolecall
