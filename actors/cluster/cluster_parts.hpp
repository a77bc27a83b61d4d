#pragma once

#include "actors/cluster/cluster_actor.hpp"

/// What the parts of the cluster actor share. Used by it only.
namespace rolecall {

/// Nodes that should be there may turn up within this time: until then no role or task is unknown.
constexpr millis settling_time{3'000};

// -- cluster_links.cpp
/// Carries out what the membership wants, and arms the timer.
void carry_out(cluster_self self, membership::effects effects);
/// Sends a message to a node; false if there is no link with it, or the message is too large.
bool tell(cluster_self self, const node_name& node, const link_message& message);
void tell_all(cluster_self self, const link_message& message);
void on_accepted(cluster_self self, const std::shared_ptr<net::frame_stream>& stream);
void on_dialed(cluster_self self, const link_dialed& news);
void on_frame(cluster_self self, const link_frame& frame);
void on_closed(cluster_self self, const link_closed& news);
void on_wake(cluster_self self);
cluster_status status_of(cluster_self self);
peer_nodes peers_of(cluster_self self);

// -- cluster_messages.cpp
/// What a node says once the link with it is up.
void on_message(cluster_self self, const node_name& from, link_message& message);
void on_up(cluster_self self, const node_name& node);
void on_down(cluster_self self, const node_name& node, const std::string& why);
void apply(cluster_self self, const node_name& from, const agent_mirror::changes& changes);
/// Tells the router what others can spawn, if that has changed.
void tell_offers(cluster_self self);
void share_uses(cluster_self self);
/// Tells the manager which of its services others manage, if that has changed.
void tell_holds(cluster_self self);

// -- cluster_attempts.cpp
void execute(cluster_self self, attempt_request& request, const outcome_listener_actor& listener);
void cancel(cluster_self self, const task_id& task, std::uint32_t attempt);
/// An attempt that runs here for another node has ended.
void on_served(cluster_self self, const attempt_outcome& outcome);
void on_remote_request(cluster_self self, const node_name& from, attempt_request& request);
void on_remote_cancel(cluster_self self, const node_name& from, const attempt_cancel& what);
void on_remote_outcome(cluster_self self, const node_name& from, attempt_outcome& outcome);
void lose(cluster_self self, const std::vector<attempt_outcome>& outcomes);
void check_left(cluster_self self);

// -- cluster_questions.cpp
caf::result<peer_reply> ask(cluster_self self, const peer_question& question);
void on_question(cluster_self self, const node_name& from, const numbered_question& question);
void on_reply(cluster_self self, const node_name& from, numbered_reply& reply);
void fail_questions(cluster_self self, const node_name& node, const std::string& why);
void fail_overdue_questions(cluster_self self);

} // namespace rolecall
