#include "actors/health/checker_actor.hpp"

namespace rolecall {

namespace {

using self_pointer = checker_actor::stateful_pointer<checker_state>;

constexpr millis router_timeout{5'000};

/// The router need not hold a slot for the agent, if it does.
void release(self_pointer self, const agent_key& agent) {
  health_report nothing;
  nothing.agent = agent;
  nothing.result = check_result::none;
  self->send(self->state.peers.router, atom::checked_v, nothing);
}

/// The router holds a slot for the agent's check.
void begin(self_pointer self, const agent_key& agent) {
  if (auto call = self->state.checks.begin(agent))
    self->send(self->state.peers.pool, atom::execute_v, std::move(*call),
               caf::actor_cast<outcome_listener_actor>(self));
  else
    release(self, agent);
}

void on_slot(self_pointer self, const agent_key& agent, bool held);

void settle(self_pointer self) {
  auto& state = self->state;
  for (const auto& call : state.checks.take_canceled())
    self->send(state.peers.pool, atom::cancel_v, call, std::uint32_t{1});
  for (const auto& agent : state.checks.due(now(self)))
    self->request(state.peers.router, router_timeout, atom::check_v, agent)
        .then([self, agent](bool held) { on_slot(self, agent, held); },
              [self, agent](caf::error&) {
                release(self, agent);
                on_slot(self, agent, false);
              });
  state.timer.arm(self, state.checks.next_due(), atom::wake_v);
}

void on_slot(self_pointer self, const agent_key& agent, bool held) {
  if (held)
    begin(self, agent);
  else
    self->state.checks.skip(agent, now(self));
  settle(self);
}

} // namespace

checker_actor::behavior_type checker(self_pointer self, checker_peers peers,
                                     health_options options) {
  set_quiet_handlers(self);
  self->state.checks = health_checks{std::move(options)};
  self->state.peers = std::move(peers);
  auto subscribe = [self] {
    self->send(self->state.peers.registry, atom::subscribe_v,
               caf::actor_cast<agent_listener_actor>(self));
  };
  subscribe();
  return {
      [self](const agent_snapshot& snapshot) {
        self->state.checks.reset(snapshot, now(self));
        settle(self);
      },
      [self, subscribe](const agent_event& event) {
        if (!self->state.checks.apply(event, now(self)))
          subscribe();
        settle(self);
      },
      [self](const attempt_outcome& outcome) {
        auto& state = self->state;
        auto report = state.checks.ended(outcome, now(self));
        self->send(state.peers.router, atom::checked_v, report);
        if (report.result != check_result::none)
          self->send(state.peers.manager, atom::checked_v, report);
        settle(self);
      },
      [self](atom::wake) {
        self->state.timer.fired(now(self));
        settle(self);
      },
  };
}

} // namespace rolecall
