#include "actors/journal/journal_actor.hpp"

#include <algorithm>

namespace rolecall {

namespace {

using self_pointer = journal_actor::stateful_pointer<journal_state>;

/// Past it a transaction is begun although more may be in the mailbox: nobody waits for long.
constexpr std::size_t max_rows = 4'096;
/// After an error, until it is tried again although nothing new has come.
constexpr millis retry_interval{250};

void tell(self_pointer self, const journal_news& news) {
  for (const auto& listener : self->state.listeners)
    self->send(listener, news);
}

/// The acceptances among what could not be written will not be: their senders are told why, and can
/// try again. The rest stays.
journal_news refuse_acceptances(journal_state& state) {
  journal_news news;
  news.trouble = state.trouble;
  std::erase_if(state.pending, [&](const journal_append& append) {
    if (append.acceptance)
      news.refused.push_back(append.ticket);
    return append.acceptance;
  });
  state.rows = 0;
  for (const auto& append : state.pending)
    state.rows += append.entries.size() + append.forgotten.size();
  return news;
}

bool write_all(journal_state& state) {
  auto problem = state.store->commit(state.pending);
  state.trouble = problem ? failure{ec::storage_full, problem->message} : failure{};
  return !problem;
}

void flush(self_pointer self) {
  auto& state = self->state;
  if (state.pending.empty())
    return;
  auto last = state.pending.back().ticket;
  journal_news news;
  if (!write_all(state)) {
    news = refuse_acceptances(state);
    if (!state.pending.empty() && !write_all(state)) {
      news.trouble = state.trouble;
      tell(self, news);
      state.asked = true;
      self->delayed_send(self, retry_interval, atom::wake_v);
      return;
    }
  }
  state.pending.clear();
  state.rows = 0;
  news.committed = last;
  tell(self, news);
}

} // namespace

journal_actor::behavior_type journal(self_pointer self, std::shared_ptr<journal_store> store) {
  set_quiet_handlers(self);
  self->state.store = std::move(store);
  return {
      [self](atom::subscribe, const journal_listener_actor& listener) {
        self->state.listeners.push_back(listener);
      },
      [self](atom::append, journal_append& append) {
        auto& state = self->state;
        state.rows += append.entries.size() + append.forgotten.size();
        state.pending.push_back(std::move(append));
        if (state.rows >= max_rows && state.trouble.code.empty())
          return flush(self);
        // Behind everything that is in the mailbox by now: the group of this commit.
        if (!state.asked)
          self->send(self, atom::wake_v);
        state.asked = true;
      },
      [self](atom::drain) {
        flush(self);
        return self->state.trouble.code.empty();
      },
      [self](atom::wake) {
        self->state.asked = false;
        flush(self);
      },
  };
}

} // namespace rolecall
