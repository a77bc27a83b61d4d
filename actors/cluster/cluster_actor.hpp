#pragma once

#include "actors/cluster/agent_mirror.hpp"
#include "actors/cluster/membership.hpp"
#include "actors/cluster/shared_attempts.hpp"
#include "actors/lifecycle_actor.hpp"
#include "messages/interfaces.hpp"
#include "net/frame_dial.hpp"

#include <caf/send.hpp>
#include <caf/stateful_actor.hpp>

#include <functional>
#include <memory>

namespace rolecall {

/// A question for another node, and what came back: a failure too if nothing did in time.
struct peer_question {
  node_name node;
  node_question question;
};
struct peer_reply {
  node_reply reply;
};

/// The other nodes, by whether they can be asked.
struct peer_nodes {
  std::vector<node_name> linked;
  /// By name, or by address if the name is not known: those that there should be a link with, and
  /// those that there was one with within `forget_after`.
  std::vector<std::string> lost;
  /// False if this node has started so recently that there may be others, linked with others only.
  bool settled{true};
};

// What the event loop tells the actor.
struct link_accepted {
  std::shared_ptr<net::frame_stream> stream;
};
struct link_refused {
  std::string remote;
  std::string why;
};
struct link_dialed {
  membership::link_id link{0};
  std::shared_ptr<net::frame_stream> stream; ///< null: it failed
  std::string why;
};
struct link_frame {
  membership::link_id link{0};
  std::string content;
};
struct link_closed {
  membership::link_id link{0};
  std::string why;
};

} // namespace rolecall

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(rolecall::peer_question)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(rolecall::peer_reply)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(rolecall::peer_nodes)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(rolecall::link_accepted)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(rolecall::link_refused)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(rolecall::link_dialed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(rolecall::link_frame)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(rolecall::link_closed)

namespace rolecall {

/// Whom the other nodes can be asked through.
using peer_nodes_actor =
    caf::typed_actor<caf::replies_to<atom::list>::with<peer_nodes>, // the nodes that it knows
                                                                    // Asks a node; always answered.
                                                                    // Not for the node itself.
                     caf::replies_to<peer_question>::with<peer_reply>>;

/// The CLUSTER links this node with others. For the coordinator it is the pool: an attempt for an
/// agent of another node goes there, every other one to this node's pool.
using cluster_actor = pool_actor::extend_with<peer_nodes_actor>::extend_with<agent_listener_actor>::
    extend_with<routing_listener_actor>::extend_with<directory_listener_actor>::extend<
        // How the cluster looks from here.
        caf::replies_to<atom::status>::with<cluster_status>,
        // What this node tells of itself.
        caf::reacts_to<node_figures>,
        // Whom questions of other nodes about tasks go to.
        caf::reacts_to<atom::put, tasks_actor>,
        // The node is about to go: others give its agents nothing new. Answered once what they have
        // given them has ended.
        caf::replies_to<atom::leave>::with<bool>,
        // INTERNAL: what connections bring.
        caf::reacts_to<link_accepted>, caf::reacts_to<link_refused>, caf::reacts_to<link_dialed>,
        caf::reacts_to<link_frame>, caf::reacts_to<link_closed>,
        // INTERNAL: a point in time has come at which something may be due.
        caf::reacts_to<atom::wake>>;

struct cluster_options {
  membership_options membership;
  std::optional<net::link_tls> tls;
  std::map<service_name, service_claim> claims; ///< to the services of this node
  millis connect_timeout{2'000};
  millis answer_timeout{3'000}; ///< of another node
  millis share_interval{5};     ///< between two tellings of how busy agents are
  std::size_t max_frame_bytes{160u << 20};
  std::size_t max_queued_bytes{320u << 20};         ///< on a link; past it, it is given up
  std::function<void(const membership::note&)> log; ///< may be empty
};

/// Of connections with other nodes, as they begin.
net::frame_options frame_options_of(const cluster_options& options);

/// Whom the cluster tells what other nodes say.
struct cluster_peers {
  registry_actor registry;
  router_actor router;
  manager_actor manager;
  pool_actor pool;
};

struct cluster_state {
  static inline const char* name = "cluster";

  struct connection {
    std::shared_ptr<net::frame_stream> stream;
    std::uint64_t received{0};       ///< when it was looked at last
    std::optional<node_name> node{}; ///< once it is up
  };
  struct peer {
    role_directory offers;
    std::map<role_name, role_demand> demand; ///< for agents of this node
    node_figures figures;
    std::vector<service_claim> claims;
    std::uint64_t sequence{0}; ///< of the latest event about its agents, as it said
    bool up{false};
    time_point seen{}; ///< when the link with it came up or went down
  };
  struct question {
    caf::typed_response_promise<peer_reply> promise;
    node_name node;
    time_point due;
  };

  ~cluster_state();

  cluster_options options;
  cluster_peers peers;
  tasks_actor tasks; ///< null until it is told
  boost::asio::io_context* context{nullptr};
  std::unique_ptr<rolecall::membership> membership;
  agent_mirror mirror;
  shared_attempts attempts;
  std::map<membership::link_id, std::unique_ptr<net::frame_dial>> dials;
  std::map<membership::link_id, connection> connections;
  std::map<node_name, std::pair<std::uint64_t, std::uint64_t>> traffic; ///< of closed connections
  std::map<node_name, peer> nodes; ///< that are up, or have been and have offered something
  std::map<attempt_key, outcome_listener_actor> listeners; ///< of what was sent
  std::map<std::uint64_t, question> questions;
  std::uint64_t next_question{1};
  role_directory offers; ///< of this node
  node_figures figures;  ///< of this node
  std::optional<peer_offers> offers_told;
  service_holds holds_told;
  time_point started{};
  time_point next_beat{};
  std::optional<time_point> next_share; ///< of how busy agents are
  caf::typed_response_promise<bool> leave_promise;
  wake_up timer;
};

using cluster_self = cluster_actor::stateful_pointer<cluster_state>;

/// Subscribes to registry, router and manager by itself. `context` outlives the actor; connections
/// that are accepted are sent to it by whoever listens.
cluster_actor::behavior_type cluster(cluster_self self, cluster_peers peers,
                                     boost::asio::io_context* context, cluster_options options);

} // namespace rolecall
