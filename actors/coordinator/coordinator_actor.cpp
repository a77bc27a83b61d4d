#include "actors/coordinator/coordinator_actor.hpp"

#include <algorithm>

namespace rolecall {

namespace {

using self_pointer = coordinator_actor::stateful_pointer<coordinator_state>;

/// Takes what it carries along: nothing of it is copied but events, for all who listen but one.
struct carrier {
  self_pointer self;

  void operator()(placement_request& request) const {
    self->send(self->state.peers.router, atom::place_v, std::move(request),
               caf::actor_cast<placement_listener_actor>(self));
  }
  void operator()(const task_book::withdraw& effect) const {
    self->send(self->state.peers.router, atom::withdraw_v, effect.task);
  }
  void operator()(attempt_request& request) const {
    self->send(self->state.peers.pool, atom::execute_v, std::move(request),
               caf::actor_cast<outcome_listener_actor>(self));
  }
  void operator()(const task_book::cancel_attempt& effect) const {
    self->send(self->state.peers.pool, atom::cancel_v, effect.task, effect.attempt);
  }
  void operator()(attempt_outcome& outcome) const {
    self->send(self->state.peers.router, atom::finished_v, std::move(outcome));
  }
  void operator()(journal_append& what) const {
    self->send(self->state.peers.journal, atom::append_v, std::move(what));
  }
  void operator()(task_event& event) const {
    const auto& listeners = self->state.listeners;
    for (std::size_t i = 0; i < listeners.size(); ++i)
      if (i + 1 < listeners.size())
        self->send(listeners[i], event);
      else
        self->send(listeners[i], std::move(event));
  }
};

void carry_out(self_pointer self, task_book::effects effects) {
  for (auto& effect : effects)
    std::visit(carrier{self}, effect);
  auto& state = self->state;
  state.timer.arm(self, state.book.next_due(), atom::wake_v);
  if (state.drain.pending() && state.book.quiet())
    state.drain.deliver(std::uint64_t{state.book.open()});
}

/// Carries out what a request brings about, and answers it once that is on disk: with what `reply`
/// gives then, a `caf::expected`.
template <class Result, class Reply>
caf::result<Result> answer_after(self_pointer self, task_book::admission&& admitted, Reply reply) {
  carry_out(self, std::move(admitted.todo));
  if (admitted.ticket == 0)
    return reply();
  auto promise = self->make_response_promise<Result>();
  self->state.answers.emplace(admitted.ticket, [promise, reply](const failure* refused) mutable {
    if (refused) {
      promise.deliver(caf::make_error(refused->kind, refused->message));
    } else if (caf::expected<Result> value = reply()) {
      promise.deliver(std::move(*value));
    } else {
      promise.deliver(std::move(value.error()));
    }
  });
  return promise;
}

void on_journal(self_pointer self, const journal_news& news) {
  auto& state = self->state;
  carry_out(self, state.book.on_journal(news, now(self)));
  for (auto ticket : news.refused) {
    auto [first, last] = state.answers.equal_range(ticket);
    for (auto answer = first; answer != last; ++answer)
      answer->second(&news.trouble);
    state.answers.erase(first, last);
  }
  while (!state.answers.empty() && state.answers.begin()->first <= news.committed) {
    auto answer = std::move(state.answers.begin()->second);
    state.answers.erase(state.answers.begin());
    answer(nullptr);
  }
}

caf::result<cancel_count> cancel(self_pointer self, const std::vector<task_id>& ids) {
  std::uint64_t count = 0;
  auto admitted = self->state.book.cancel(ids, now(self), count);
  return answer_after<cancel_count>(
      self, std::move(admitted),
      [count]() -> caf::expected<cancel_count> { return cancel_count{count}; });
}

caf::expected<task_record> record_of(self_pointer self, const task_id& id) {
  if (const auto* record = self->state.book.find(id))
    return *record;
  return caf::make_error(ec::unknown_task, "there is no task \"" + id.str() + "\"");
}

void tell_all(self_pointer self, const task_listener_actor& listener, std::size_t past) {
  self->monitor(listener);
  self->state.listeners.push_back(listener);
  for (auto& event : self->state.book.past_events(past))
    self->send(listener, std::move(event));
  for (auto& record : self->state.book.list())
    self->send(listener, task_event{0, unix_time{0}, std::move(record), {}, false});
}

} // namespace

coordinator_state::~coordinator_state() {
  failure ending{ec::shutting_down, "the node ends"};
  for (const auto& [ticket, answer] : answers)
    answer(&ending);
  if (drain.pending())
    drain.deliver(caf::make_error(ec::shutting_down));
}

coordinator_actor::behavior_type coordinator(self_pointer self, coordinator_peers peers,
                                             coordinator_options options,
                                             const std::shared_ptr<journal_content>& kept) {
  set_quiet_handlers(self);
  self->set_down_handler([self](const caf::down_msg& down) {
    std::erase_if(self->state.listeners,
                  [&](const auto& listener) { return listener.address() == down.source; });
  });
  self->state.book = task_book{std::move(options)};
  self->state.peers = std::move(peers);
  if (self->state.peers.journal)
    self->send(self->state.peers.journal, atom::subscribe_v,
               caf::actor_cast<journal_listener_actor>(self));
  if (kept)
    carry_out(self, self->state.book.recover(std::move(kept->entries), now(self)));
  return {
      [self](placement& p) {
        carry_out(self, self->state.book.on_placement(std::move(p), now(self)));
      },
      [self](const placement_refused& refused) {
        carry_out(self, self->state.book.on_refused(refused, now(self)));
      },
      [self](attempt_outcome& outcome) {
        carry_out(self, self->state.book.on_outcome(std::move(outcome), now(self)));
      },
      [self](const journal_news& news) { on_journal(self, news); },
      [self](atom::submit, std::vector<task_spec>& specs) -> caf::result<submit_result> {
        auto result = self->state.book.submit(std::move(specs), now(self));
        if (const auto* refused = std::get_if<failure>(&result))
          return caf::make_error(refused->kind, refused->message);
        auto& admitted = std::get<task_book::admission>(result);
        auto known = std::move(admitted.known);
        return answer_after<submit_result>(
            self, std::move(admitted),
            [known = std::move(known)]() -> caf::expected<submit_result> {
              return submit_result{known};
            });
      },
      [self](atom::cancel, const task_id& id) -> caf::result<task_record> {
        std::uint64_t count = 0;
        return answer_after<task_record>(self, self->state.book.cancel({id}, now(self), count),
                                         [self, id] { return record_of(self, id); });
      },
      [self](atom::cancel, const std::vector<task_id>& ids) -> caf::result<cancel_count> {
        return cancel(self, ids);
      },
      [self](atom::cancel, const task_query& query) -> caf::result<cancel_count> {
        return cancel(self, self->state.book.open_matching(query));
      },
      [self](atom::drain) -> caf::result<std::uint64_t> {
        auto& state = self->state;
        state.book.pause();
        if (state.book.quiet())
          return std::uint64_t{state.book.open()};
        return state.drain = self->make_response_promise<std::uint64_t>();
      },
      [self](atom::get, const task_id& id) -> caf::result<task_record> {
        return record_of(self, id);
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
        return answer_after<task_detail>(self, std::get<task_book::admission>(std::move(result)),
                                         [self, fresh]() -> caf::expected<task_detail> {
                                           return *self->state.book.describe(fresh, now(self));
                                         });
      },
      [self](atom::list, const task_query& query) { return self->state.book.list(query); },
      [self](atom::subscribe, const task_listener_actor& listener) { tell_all(self, listener, 0); },
      [self](atom::subscribe, const task_listener_actor& listener, std::uint32_t past) {
        tell_all(self, listener, past);
      },
      [self](atom::wake) {
        self->state.timer.fired(now(self));
        carry_out(self, self->state.book.on_wake(now(self)));
      },
  };
}

} // namespace rolecall
