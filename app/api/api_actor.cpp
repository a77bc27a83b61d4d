#include "app/api/api_actor.hpp"

#include "app/api/handlers.hpp"
#include "app/api/routes.hpp"
#include "app/event_logger.hpp"

#include <caf/send.hpp>

namespace rolecall::api {

namespace {

constexpr millis keep_alive_interval{15'000};
constexpr millis figures_interval{500};

/// What may be asked of a path, for OPTIONS; with what a browser wants to know before it lets a
/// page of another origin do so.
net::http_response options_response(api_self self, const call_ptr& request) {
  auto allowed = allowed_methods(request->path);
  net::http_response response{204, {{"Allow", allowed}}, {}};
  if (!self->state.access->cors_headers(*request->exchange).empty()) {
    response.headers.push_back({"Access-Control-Allow-Methods", allowed});
    response.headers.push_back({"Access-Control-Allow-Headers",
                                "Authorization, Content-Type, If-None-Match, Last-Event-ID"});
    response.headers.push_back({"Access-Control-Max-Age", "600"});
  }
  return response;
}

void on_call(api_self self, const std::shared_ptr<net::http_exchange>& exchange) {
  auto request = std::make_shared<call>(
      call{exchange, {}, query_reader{exchange->query()}, "none", now(self)});
  const auto& method = exchange->method();
  auto to = find_destination(method, exchange->path());
  if (auto wrong = self->state.access->check(*exchange, to.right, now(self)))
    return refuse(self, request, *wrong);
  if (to.wrong)
    return refuse(self, request, *to.wrong);
  request->path = std::move(to.path);
  if (method == "OPTIONS")
    return reply(self, request, options_response(self, request));
  request->route = to.found->pattern;
  to.found->handle(self, request);
}

void arm(api_self self) {
  auto& state = self->state;
  std::optional<time_point> due = state.next_keep_alive;
  if (auto next = state.waits.next_due())
    due = std::min(*due, *next);
  if (state.peers.cluster)
    due = std::min(*due, state.next_figures);
  state.timer.arm(self, due, atom::wake_v);
}

/// Answers requests that have waited for tasks.
void settle(api_self self) {
  for (auto operation : self->state.waits.take_over(now(self)))
    answer_waiting(self, operation);
  arm(self);
}

void on_task_event(api_self self, task_event& event) {
  auto& state = self->state;
  if (event.replayed) {
    state.events->add(std::move(event));
    return;
  }
  if (event.number == 0) { // of earlier times: it counts as open, and as nothing else
    state.counts.adopt(*event.task);
    return;
  }
  log_task(event);
  state.counts.add(event);
  state.figures->add(event);
  const auto& entry = state.events->add(std::move(event));
  state.readers->tell(entry);
  if (!is_terminal(entry.task->state))
    return;
  state.waits.ended(entry.task->id);
  settle(self);
  check_drained(self);
}

void on_agent_event(api_self self, const agent_event& event) {
  auto& state = self->state;
  log_agent(event);
  state.readers->tell(state.events->add(event));
}

void on_snapshot(api_self self, const agent_snapshot& snapshot) {
  for (const auto& agent : snapshot.agents)
    on_agent_event(self, {snapshot.sequence, agent_change::up, agent});
}

/// What others are told of this node.
void tell_figures(api_self self) {
  self->request(self->state.peers.manager, answer_timeout, atom::status_v)
      .then(
          [self](fleet_status& fleet) {
            const auto& state = self->state;
            self->send(state.peers.cluster,
                       node_figures{node_state(state, fleet), state.started_at, state.counts.open(),
                                    std::move(fleet.services)});
          },
          [](caf::error&) {});
}

void on_wake(api_self self) {
  auto& state = self->state;
  state.timer.fired(now(self));
  if (state.peers.cluster && now(self) >= state.next_figures) {
    tell_figures(self);
    state.next_figures = now(self) + figures_interval;
  }
  if (now(self) >= state.next_keep_alive) {
    state.readers->keep_alive();
    state.next_keep_alive = now(self) + keep_alive_interval;
  }
  go_on_with_intakes(self);
  settle(self);
}

void on_checked(api_self self) {
  auto& state = self->state;
  state.checked = true;
  for (auto& promise : std::exchange(state.checked_promises, {}))
    promise.deliver(true);
  self->send(state.peers.registry, atom::subscribe_v, caf::actor_cast<agent_listener_actor>(self));
}

void on_journal_news(api_self self, const journal_news& news) {
  auto& known = self->state.journal_trouble;
  if (known == news.trouble.message)
    return;
  known = news.trouble.message;
  self->state.figures->set_journal(known.empty());
  if (known.empty())
    log_event(spdlog::level::info, "journal_written_again", {});
  else
    log_event(spdlog::level::err, "journal_not_written", {{"problem", known}});
}

/// What waits is kept for the next start: only what runs is waited for. Whoever waits for tasks
/// that are kept is told how they stand.
void drain_to_journal(api_self self) {
  auto ended = [self] {
    auto& state = self->state;
    while (!state.waiting_calls.empty()) {
      auto operation = state.waiting_calls.begin()->first;
      state.waits.remove(operation);
      answer_waiting(self, operation);
    }
    if (state.drain_promise.pending())
      state.drain_promise.deliver(state.drained_tasks);
  };
  self->request(self->state.peers.tasks, caf::infinite, atom::drain_v)
      .then([ended](std::uint64_t) { ended(); }, [ended](caf::error&) { ended(); });
}

void on_client_gone(api_self self, std::uint64_t operation) {
  auto& state = self->state;
  state.readers->remove(operation);
  state.intakes.erase(operation);
  state.waits.remove(operation);
  state.waiting_calls.erase(operation);
}

} // namespace

api_state::~api_state() {
  if (drain_promise.pending())
    drain_promise.deliver(caf::make_error(ec::shutting_down));
}

api_actor::behavior_type api(api_self self, api_peers peers, api_settings settings) {
  set_quiet_handlers(self);
  auto& state = self->state;
  state.peers = std::move(peers);
  state.settings = std::move(settings);
  const auto& options = state.settings.node.api;
  state.access = std::make_unique<gate>(options, state.settings.tokens);
  state.started_at = wall(self);
  state.events = std::make_unique<event_log>(state.settings.first_event,
                                             state.settings.forgotten_event, options.event_buffer);
  state.readers = std::make_unique<event_readers>(
      options.max_event_backlog_bytes,
      // Weak: the state must not keep its own actor alive.
      [me = caf::actor_cast<caf::weak_actor_ptr>(self)](std::uint64_t operation) {
        if (auto there = caf::actor_cast<caf::strong_actor_ptr>(me))
          caf::anon_send(caf::actor_cast<api_actor>(there), backlog_gone{operation});
      });
  state.figures = std::make_unique<metrics>(state.settings.version, state.settings.max_tasks);
  state.next_keep_alive = now(self) + keep_alive_interval;
  if (state.peers.journal) {
    state.figures->set_journal(true);
    self->send(state.peers.journal, atom::subscribe_v,
               caf::actor_cast<journal_listener_actor>(self));
  }
  // One more than are kept: so that it shows whether there are more.
  self->send(state.peers.tasks, atom::subscribe_v, caf::actor_cast<task_listener_actor>(self),
             static_cast<std::uint32_t>(options.event_buffer + 1));
  // Its answer comes after all that it has told by then.
  self->request(state.peers.tasks, caf::infinite, atom::describe_v, std::vector<task_id>{})
      .then([self](const std::vector<task_detail>&) { on_checked(self); },
            [self](caf::error&) { on_checked(self); });
  arm(self);
  return {
      [self](task_event& event) { on_task_event(self, event); },
      [self](const agent_snapshot& snapshot) { on_snapshot(self, snapshot); },
      [self](const agent_event& event) { on_agent_event(self, event); },
      [self](const journal_news& news) { on_journal_news(self, news); },
      [self](const http_call& come) {
        on_call(self, come.exchange);
        settle(self);
      },
      [self](const body_part& part) {
        on_intake_part(self, part.operation, part.piece);
        arm(self);
      },
      [self](const backlog_gone& news) {
        go_on_with_intake(self, news.operation);
        self->state.readers->feed(news.operation, *self->state.events);
      },
      [self](const client_gone& news) { on_client_gone(self, news.operation); },
      [self](const ask_again& again) { wait_for_remote(self, again.request, again.until); },
      [self](atom::checked) -> caf::result<bool> {
        if (self->state.checked)
          return true;
        return self->state.checked_promises.emplace_back(self->make_response_promise<bool>());
      },
      [self](atom::drain) -> caf::result<std::uint64_t> {
        auto& state = self->state;
        if (state.draining)
          return caf::make_error(ec::shutting_down);
        state.draining = true;
        state.drained_tasks = state.counts.open();
        state.drain_promise = self->make_response_promise<std::uint64_t>();
        auto promise = state.drain_promise;
        if (state.peers.journal)
          drain_to_journal(self);
        else
          check_drained(self);
        return promise;
      },
      [self](atom::status) -> std::uint64_t { return self->state.counts.open(); },
      [self](atom::wake) { on_wake(self); },
  };
}

// -- what the handlers share
// --------------------------------------------------------------------------

void check_drained(api_self self) {
  auto& state = self->state;
  if (state.draining && state.drain_promise.pending() && state.counts.open() == 0 &&
      state.submits == 0)
    state.drain_promise.deliver(state.drained_tasks);
}

unix_time wall(api_self self) {
  return std::chrono::duration_cast<millis>(now(self).time_since_epoch()) +
         self->state.settings.unix_offset;
}

void ask_node(api_self self, const node_name& node, node_question question,
              std::function<void(const node_reply&)> next) {
  constexpr millis longest{95'000}; // the cluster answers in time by itself
  self->request(self->state.peers.cluster, longest, peer_question{node, std::move(question)})
      .then([next](const peer_reply& reply) { next(reply.reply); },
            [next](caf::error& error) { next(to_failure(error)); });
}

void reply(api_self self, const call_ptr& request, net::http_response response) {
  auto& state = self->state;
  for (auto& header : state.access->cors_headers(*request->exchange))
    response.headers.push_back(std::move(header));
  state.figures->answered(request->exchange->method(), request->route, response.status,
                          now(self) - request->started);
  request->exchange->respond(finished(*request->exchange, std::move(response)));
}

void refuse(api_self self, const call_ptr& request, const problem_details& why) {
  self->state.figures->refused(entry_of(why.code).code);
  reply(self, request, to_response(why));
}

bool refuse_wrong_query(api_self self, const call_ptr& request) {
  auto problems = request->query.finish();
  if (problems.empty())
    return false;
  refuse(self, request,
         {"invalid_parameter",
          "the query has " + count_of(problems.size(), "problem"),
          std::move(problems),
          {}});
  return true;
}

std::function<void(caf::error&)> refuser(api_self self, const call_ptr& request) {
  return [self, request](caf::error& error) { refuse(self, request, to_problem(error)); };
}

} // namespace rolecall::api
