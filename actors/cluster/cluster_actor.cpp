#include "actors/cluster/cluster_parts.hpp"

namespace rolecall {

cluster_actor::behavior_type cluster(cluster_self self, cluster_peers peers,
                                     boost::asio::io_context* context, cluster_options options) {
  set_quiet_handlers(self);
  auto& state = self->state;
  state.options = std::move(options);
  state.peers = std::move(peers);
  state.context = context;
  state.membership = std::make_unique<membership>(state.options.membership);
  state.mirror = agent_mirror{state.options.membership.node};
  state.started = now(self);
  state.next_beat = now(self) + state.options.membership.heartbeat_interval;
  self->send(state.peers.registry, atom::subscribe_v, caf::actor_cast<agent_listener_actor>(self));
  self->send(state.peers.router, atom::subscribe_v, caf::actor_cast<routing_listener_actor>(self));
  self->send(state.peers.manager, atom::subscribe_v,
             caf::actor_cast<directory_listener_actor>(self));
  tell_offers(self);
  self->send(self, atom::wake_v);
  return {
      // -- as the coordinator's pool
      [self](atom::execute, attempt_request& request, const outcome_listener_actor& listener) {
        execute(self, request, listener);
      },
      [self](atom::cancel, const task_id& task, std::uint32_t attempt) {
        cancel(self, task, attempt);
      },
      [self](const attempt_outcome& outcome) { on_served(self, outcome); },
      // -- of this node
      [self](const agent_snapshot& snapshot) {
        self->state.mirror.on_snapshot(snapshot);
        tell_all(self, self->state.mirror.own());
      },
      [self](const agent_event& event) {
        if (auto news = self->state.mirror.on_event(event))
          tell_all(self, *news);
      },
      [self](const agent_uses& uses) {
        auto& state = self->state;
        for (const auto& use : uses.agents)
          state.attempts.on_use(use);
        if (!state.next_share) {
          state.next_share = now(self) + state.options.share_interval;
          state.timer.arm(self, state.next_share, atom::wake_v);
        }
      },
      [self](const away_demand& away) { tell(self, away.node, away.demand); },
      [self](const role_directory& directory) {
        self->state.offers = directory;
        tell_all(self, directory);
      },
      [self](const role_unavailable& news) { tell_all(self, news); },
      [self](node_figures& figures) { self->state.figures = std::move(figures); },
      [self](atom::put, const tasks_actor& tasks) { self->state.tasks = tasks; },
      // -- what can be asked
      [self](atom::status) { return status_of(self); },
      [self](const peer_question& question) -> caf::result<peer_reply> {
        return ask(self, question);
      },
      [self](atom::list) { return peers_of(self); },
      [self](atom::leave) -> caf::result<bool> {
        auto& state = self->state;
        membership::effects out;
        state.membership->leave(out);
        carry_out(self, std::move(out));
        tell_all(self, state.mirror.withdraw());
        auto promise = state.leave_promise = self->make_response_promise<bool>();
        check_left(self);
        return promise;
      },
      // -- connections
      [self](const link_accepted& news) { on_accepted(self, news.stream); },
      [self](const link_refused& news) {
        membership::effects out;
        self->state.membership->turned_away(news.remote, news.why, now(self), out);
        carry_out(self, std::move(out));
      },
      [self](const link_dialed& news) { on_dialed(self, news); },
      [self](const link_frame& frame) { on_frame(self, frame); },
      [self](const link_closed& news) { on_closed(self, news); },
      [self](atom::wake) { on_wake(self); },
  };
}

} // namespace rolecall
