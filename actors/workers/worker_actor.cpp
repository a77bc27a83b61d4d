#include "actors/workers/worker_actor.hpp"

#include "actors/workers/connectors/agents_service_connector.hpp"
#include "actors/workers/receipts.hpp"

namespace rolecall {

worker_state::~worker_state() {
  for (const auto& [attempt, call] : calls)
    client->cancel(call.id);
}

worker_actor::behavior_type worker(worker_actor::stateful_pointer<worker_state> self,
                                   outcome_listener_actor pool,
                                   std::shared_ptr<net::http_client> client,
                                   worker_options options) {
  set_quiet_handlers(self);
  self->state.client = std::move(client);
  self->state.pool = std::move(pool);
  return {
      [self, options = std::move(options)](atom::execute, attempt_request& about) {
        auto http = to_request(about);
        http.connect_timeout = options.connect_timeout;
        http.max_body_bytes = options.max_answer_bytes;
        about.input = {}; // the payload is not kept until the answer
        about.dependencies = {};
        attempt_key key{about.task, about.attempt};
        auto me = caf::actor_cast<worker_actor>(self);
        shared<receipt> sent{receipt_of(http, options.node)};
        auto done = [me, about = std::move(about),
                     sent = std::move(sent)](const net::http_result& result) mutable {
          auto outcome = to_outcome(about, result);
          complete(sent.edit(), result);
          outcome.receipt = std::move(sent);
          caf::anon_send(me, std::move(outcome));
        };
        auto id = self->state.client->start(std::move(http), std::move(done));
        self->state.calls[std::move(key)] = {id, now(self)};
      },
      [self](atom::cancel, const task_id& task, std::uint32_t attempt) {
        auto found = self->state.calls.find({task, attempt});
        if (found != self->state.calls.end())
          self->state.client->cancel(found->second.id);
      },
      [self](attempt_outcome& outcome) {
        auto found = self->state.calls.find({outcome.task, outcome.attempt});
        if (found == self->state.calls.end())
          return;
        outcome.elapsed = std::chrono::duration_cast<micros>(now(self) - found->second.started);
        self->state.calls.erase(found);
        self->send(self->state.pool, std::move(outcome));
      },
  };
}

} // namespace rolecall
