#include "actors/coordinator/coordinator_actor.hpp"

#include <algorithm>

namespace rolecall {

namespace {

using self_pointer = coordinator_actor::stateful_pointer<coordinator_state>;

struct carrier {
  self_pointer self;

  void operator()(const placement_request& request) const {
    self->send(self->state.router, atom::place_v, request,
               caf::actor_cast<placement_listener_actor>(self));
  }
  void operator()(const task_book::withdraw& effect) const {
    self->send(self->state.router, atom::withdraw_v, effect.task);
  }
  void operator()(const attempt_request& request) const {
    self->send(self->state.pool, atom::execute_v, request,
               caf::actor_cast<outcome_listener_actor>(self));
  }
  void operator()(const task_book::cancel_attempt& effect) const {
    self->send(self->state.pool, atom::cancel_v, effect.task, effect.attempt);
  }
  void operator()(const attempt_outcome& outcome) const {
    self->send(self->state.router, atom::finished_v, outcome);
  }
  void operator()(const task_event& event) const {
    for (const auto& listener : self->state.listeners)
      self->send(listener, event);
  }
};

void carry_out(self_pointer self, const task_book::effects& effects) {
  for (const auto& effect : effects)
    std::visit(carrier{self}, effect);
  self->state.timer.arm(self, self->state.book.next_due(), atom::wake_v);
}

} // namespace

coordinator_actor::behavior_type coordinator(self_pointer self, router_actor router,
                                             pool_actor pool, coordinator_options options) {
  set_quiet_handlers(self);
  self->set_down_handler([self](const caf::down_msg& down) {
    std::erase_if(self->state.listeners,
                  [&](const auto& listener) { return listener.address() == down.source; });
  });
  self->state.book = task_book{options};
  self->state.router = std::move(router);
  self->state.pool = std::move(pool);
  return {
      [self](const placement& p) { carry_out(self, self->state.book.on_placement(p, now(self))); },
      [self](const placement_refused& refused) {
        carry_out(self, self->state.book.on_refused(refused, now(self)));
      },
      [self](const attempt_outcome& outcome) {
        carry_out(self, self->state.book.on_outcome(outcome, now(self)));
      },
      [self](atom::submit,
             const std::vector<task_spec>& specs) -> caf::result<std::vector<task_id>> {
        auto result = self->state.book.submit(specs, now(self));
        if (const auto* refused = std::get_if<failure>(&result))
          return caf::make_error(refused->kind, refused->message);
        carry_out(self, std::get<task_book::effects>(result));
        std::vector<task_id> ids;
        ids.reserve(specs.size());
        for (const auto& spec : specs)
          ids.push_back(spec.id);
        return ids;
      },
      [self](atom::cancel, const task_id& id) -> caf::result<task_record> {
        carry_out(self, self->state.book.cancel(id, now(self)));
        if (const auto* record = self->state.book.find(id))
          return *record;
        return caf::make_error(ec::unknown_task);
      },
      [self](atom::cancel_all) {
        auto open = std::uint64_t{self->state.book.open()};
        carry_out(self, self->state.book.cancel_all(now(self)));
        return open;
      },
      [self](atom::get, const task_id& id) -> caf::result<task_record> {
        if (const auto* record = self->state.book.find(id))
          return *record;
        return caf::make_error(ec::unknown_task);
      },
      [self](atom::describe, const std::vector<task_id>& ids) {
        std::vector<task_detail> result;
        for (const auto& id : ids)
          if (auto detail = self->state.book.describe(id, now(self)))
            result.push_back(std::move(*detail));
        return result;
      },
      [self](atom::retry, const task_id& id, const task_id& fresh) -> caf::result<task_detail> {
        auto result = self->state.book.retry(id, fresh, now(self));
        if (const auto* refused = std::get_if<failure>(&result))
          return caf::make_error(refused->kind, refused->message);
        carry_out(self, std::get<task_book::effects>(result));
        return *self->state.book.describe(fresh, now(self));
      },
      [self](atom::list, const task_query& query) { return self->state.book.list(query); },
      [self](atom::subscribe, const task_listener_actor& listener) {
        self->monitor(listener);
        self->state.listeners.push_back(listener);
        for (const auto& record : self->state.book.list())
          self->send(listener, task_event{0, unix_time{0}, record, {}});
      },
      [self](atom::wake) {
        self->state.timer.fired(now(self));
        carry_out(self, self->state.book.on_wake(now(self)));
      },
  };
}

} // namespace rolecall
