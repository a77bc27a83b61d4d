#include "actors/router/router_actor.hpp"

namespace rolecall {

namespace {

using self_pointer = router_actor::stateful_pointer<router_state>;

void send_decision(self_pointer self, routing_table::decision decision) {
  std::visit(
      [&](auto& news) {
        auto listener = self->state.listeners.extract(news.task);
        if (!listener.empty())
          self->send(listener.mapped(), std::move(news));
      },
      decision);
}

/// Tells everybody what has come of a change.
void settle(self_pointer self) {
  auto& state = self->state;
  for (auto& decision : state.table.dispatch(now(self)))
    send_decision(self, std::move(decision));
  if (state.demand_listener) {
    for (const auto& demand : state.table.take_demand())
      self->send(state.demand_listener, demand);
    for (const auto& away : state.table.take_away_demand())
      self->send(state.cluster, away);
    for (const auto& agent : state.table.take_drained())
      self->send(state.demand_listener, atom::drained_v, agent);
    for (const auto& agent : state.table.take_suspects())
      self->send(state.demand_listener, atom::suspect_v, agent);
  }
  if (auto uses = state.table.take_uses(); !uses.agents.empty())
    self->send(state.cluster, std::move(uses));
  state.timer.arm(self, state.table.next_due(), atom::wake_v);
}

} // namespace

router_actor::behavior_type router(self_pointer self, registry_actor registry,
                                   router_options options) {
  set_quiet_handlers(self);
  self->state.table = routing_table{options};
  self->state.registry = std::move(registry);
  self->send(self->state.registry, atom::subscribe_v, caf::actor_cast<agent_listener_actor>(self));
  return {
      [self](const agent_snapshot& snapshot) {
        self->state.table.reset(snapshot, now(self));
        settle(self);
      },
      [self](const agent_event& event) {
        if (!self->state.table.apply(event, now(self)))
          self->send(self->state.registry, atom::subscribe_v,
                     caf::actor_cast<agent_listener_actor>(self));
        settle(self);
      },
      [self](atom::place, placement_request& request, const placement_listener_actor& listener) {
        self->state.listeners[request.task] = listener;
        self->state.table.place(std::move(request));
        settle(self);
      },
      [self](atom::withdraw, const task_id& task) {
        if (self->state.table.withdraw(task))
          self->state.listeners.erase(task);
        settle(self);
      },
      [self](atom::finished, const attempt_outcome& outcome) {
        self->state.table.finished(outcome, now(self));
        settle(self);
      },
      [self](atom::idle, const role_name& role, millis at_least) {
        auto idle = self->state.table.idle(role, at_least, now(self));
        settle(self); // the demand comes before the answer
        return idle;
      },
      [self](atom::subscribe, const demand_listener_actor& listener) {
        self->state.demand_listener = listener;
        settle(self);
      },
      [self](atom::subscribe, const routing_listener_actor& listener) {
        self->state.cluster = listener;
        self->state.table.tell_uses();
        settle(self);
      },
      [self](const agent_uses& uses) {
        self->state.table.learn(uses, now(self));
        settle(self);
      },
      [self](peer_offers& offers) {
        self->state.table.learn(std::move(offers));
        settle(self);
      },
      [self](atom::admit, const task_id& task, std::uint32_t attempt, const agent_key& agent) {
        auto admitted = self->state.table.admit(task, attempt, agent, now(self));
        settle(self);
        return admitted;
      },
      [self](role_directory& directory) {
        self->state.table.learn(std::move(directory));
        settle(self);
      },
      [self](const role_unavailable& news) {
        self->state.table.unavailable(news);
        settle(self);
      },
      [self](atom::explain, const task_id& task) -> caf::result<wait_explanation> {
        if (auto why = self->state.table.explain(task, now(self)))
          return std::move(*why);
        return caf::make_error(ec::unknown_task);
      },
      [self](atom::status) { return self->state.table.status(now(self)); },
      [self](atom::check, const agent_key& agent) {
        auto held = self->state.table.begin_check(agent, now(self));
        settle(self);
        return held;
      },
      [self](atom::checked, const health_report& report) {
        self->state.table.checked(report, now(self));
        settle(self);
      },
      [self](atom::wake) {
        self->state.timer.fired(now(self));
        settle(self);
      },
  };
}

} // namespace rolecall
