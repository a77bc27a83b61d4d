#include "actors/manager/manager_actor.hpp"

namespace rolecall {

namespace {

using self_pointer = manager_actor::stateful_pointer<manager_state>;

constexpr millis router_timeout{5'000};

void ask_service(self_pointer self, const service_answer& question) {
  auto& state = self->state;
  auto config = state.fleet.config_of(question.service);
  auto me = caf::actor_cast<manager_actor>(self);
  const auto& options = state.options.questions;
  state.client->start(to_request(config, question, options),
                      [me, config, question, options](const net::http_result& result) {
                        caf::anon_send(me, to_answer(config, question, options, result));
                      });
}

void carry_out(self_pointer self, const fleet::effects& effects);

struct carrier {
  self_pointer self;

  // No requests: for each answer CAF looks through all that are open, and a service may list a
  // hundred thousand agents.
  void operator()(const fleet::put& effect) const {
    caf::anon_send(self->state.registry, atom::put_v, effect.record);
  }
  void operator()(const fleet::remove& effect) const {
    caf::anon_send(self->state.registry, atom::remove_v, effect.key);
  }
  void operator()(const fleet::ask_idle& effect) const {
    self->request(self->state.router, router_timeout, atom::idle_v, effect.role, effect.at_least)
        .then(
            [self = self, role = effect.role](const std::vector<agent_key>& idle) {
              carry_out(self, self->state.fleet.on_idle(role, idle));
            },
            [](caf::error&) {});
  }
  void operator()(const service_answer& question) const { ask_service(self, question); }
  void operator()(const role_directory& news) const { tell(news); }
  void operator()(const role_unavailable& news) const { tell(news); }

  template <class News>
  void tell(const News& news) const {
    self->send(self->state.router, news);
    if (self->state.directory_listener)
      self->send(self->state.directory_listener, news);
  }
};

void answer_promises(self_pointer self) {
  auto& state = self->state;
  if (state.fleet.checked()) {
    for (auto& promise : state.checked_promises)
      promise.deliver(state.fleet.status());
    state.checked_promises.clear();
  }
  if (state.retire_deadline && (state.fleet.retired() || now(self) >= *state.retire_deadline)) {
    state.retire_deadline.reset();
    state.retire_promise.deliver(state.fleet.status().retired);
  }
}

/// Tells whoever asked for an agent what came of it.
void answer_order(self_pointer self, const service_answer& answer) {
  auto promise = self->state.spawn_promises.extract(answer.order);
  if (promise.empty())
    return;
  if (answer.ok)
    promise.mapped().deliver(answer.agents.front());
  else
    promise.mapped().deliver(caf::make_error(answer.error.kind, answer.error.message));
}

void carry_out(self_pointer self, const fleet::effects& effects) {
  for (const auto& effect : effects)
    std::visit(carrier{self}, effect);
  answer_promises(self);
}

} // namespace

manager_state::~manager_state() {
  for (auto& promise : checked_promises)
    promise.deliver(caf::make_error(ec::shutting_down));
  for (auto& [order, promise] : spawn_promises)
    promise.deliver(caf::make_error(ec::shutting_down));
  if (retire_deadline)
    retire_promise.deliver(caf::make_error(ec::shutting_down));
}

manager_actor::behavior_type manager(self_pointer self, registry_actor registry,
                                     router_actor router, std::shared_ptr<net::http_client> client,
                                     manager_options options) {
  set_quiet_handlers(self);
  auto& state = self->state;
  state.fleet = fleet{options.fleet};
  state.options = std::move(options);
  state.registry = std::move(registry);
  state.router = std::move(router);
  state.client = std::move(client);
  self->send(state.router, atom::subscribe_v, caf::actor_cast<demand_listener_actor>(self));
  if (state.options.fleet.services.empty()) // nobody will tell what there is
    self->send(state.router, state.fleet.status().roles);
  self->send(self, atom::wake_v);
  return {
      [self](const role_demand& demand) {
        carry_out(self, self->state.fleet.on_demand(demand, now(self)));
      },
      [self](atom::drained, const agent_key& agent) {
        carry_out(self, self->state.fleet.on_drained(agent));
      },
      [self](atom::suspect, const agent_key& agent) {
        carry_out(self, self->state.fleet.on_suspect(agent, now(self)));
      },
      [self](atom::checked, const health_report& report) {
        carry_out(self, self->state.fleet.on_health(report, now(self)));
      },
      [self](atom::status) { return self->state.fleet.status(); },
      [self](atom::checked) -> caf::result<fleet_status> {
        if (self->state.fleet.checked())
          return self->state.fleet.status();
        self->state.checked_promises.push_back(self->make_response_promise<fleet_status>());
        return self->state.checked_promises.back();
      },
      [self](atom::spawn, const role_name& role) -> caf::result<agent_record> {
        auto& state = self->state;
        auto order = state.next_order++;
        auto result = state.fleet.spawn_one(role, order);
        if (const auto* refused = std::get_if<failure>(&result))
          return caf::make_error(refused->kind, refused->message);
        // Kept until the service has answered or its time is up: it always ends.
        auto promise = state.spawn_promises[order] = self->make_response_promise<agent_record>();
        carry_out(self, std::get<fleet::effects>(result));
        return promise;
      },
      [self](atom::drain, const agent_key& key) -> caf::result<agent_record> {
        auto result = self->state.fleet.drain_one(key);
        if (!result)
          return caf::make_error(ec::unknown_agent, "there is no agent " + to_string(key));
        carry_out(self, result->second);
        return result->first;
      },
      [self](atom::subscribe, const directory_listener_actor& listener) {
        self->state.directory_listener = listener;
        self->send(listener, self->state.fleet.status().roles);
      },
      [self](const service_holds& news) {
        carry_out(self, self->state.fleet.on_holds(news, now(self)));
      },
      [self](const peer_demand& news) {
        carry_out(self, self->state.fleet.on_peer_demand(news.demand, now(self)));
      },
      [self](atom::retire, millis patience) -> caf::result<std::uint64_t> {
        auto& state = self->state;
        if (state.retire_deadline)
          return caf::make_error(ec::shutting_down);
        state.retire_promise = self->make_response_promise<std::uint64_t>();
        state.retire_deadline = now(self) + patience;
        auto promise = state.retire_promise;
        carry_out(self, state.fleet.begin_retirement(now(self)));
        return promise;
      },
      [self](const service_answer& answer) {
        carry_out(self, self->state.fleet.on_answer(answer, now(self)));
        answer_order(self, answer);
      },
      [self](atom::wake) {
        carry_out(self, self->state.fleet.on_tick(now(self)));
        self->delayed_send(self, self->state.fleet.options().tick, atom::wake_v);
      },
  };
}

} // namespace rolecall
