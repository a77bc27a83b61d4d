#include "actors/workers/pool_actor.hpp"

#include <algorithm>

namespace rolecall {

namespace {

using self_pointer = pool_actor::stateful_pointer<pool_state>;

void finish(self_pointer self, const attempt_outcome& outcome) {
  attempt_slots::attempt_key key{outcome.task, outcome.attempt};
  self->state.slots.release(key);
  auto listener = self->state.listeners.extract(key);
  if (!listener.empty())
    self->send(listener.mapped(), outcome);
}

} // namespace

pool_actor::behavior_type pool(self_pointer self, const std::shared_ptr<net::http_client>& client,
                               pool_options options) {
  set_quiet_handlers(self);
  auto start_worker = [self, client, options] {
    return self->spawn<caf::monitored>(worker, caf::actor_cast<outcome_listener_actor>(self),
                                       client, options.worker);
  };
  self->state.slots = attempt_slots{options.workers};
  for (std::size_t i = 0; i < options.workers; ++i)
    self->state.workers.push_back(start_worker());
  self->set_down_handler([self, start_worker](const caf::down_msg& down) {
    auto& workers = self->state.workers;
    auto dead = std::find_if(workers.begin(), workers.end(), [&](const auto& candidate) {
      return candidate.address() == down.source;
    });
    if (dead == workers.end())
      return;
    auto index = static_cast<std::size_t>(dead - workers.begin());
    *dead = start_worker();
    for (const auto& [key, agent] : self->state.slots.of_worker(index)) {
      attempt_outcome lost;
      lost.task = key.first;
      lost.attempt = key.second;
      lost.agent = agent;
      lost.verdict = verdict::retryable;
      lost.error = {ec::worker_lost, "the worker that ran the attempt ended"};
      finish(self, lost);
    }
  });
  self->set_exit_handler([self](const caf::exit_msg& exit) {
    for (const auto& each : self->state.workers)
      self->send_exit(each, exit.reason);
    self->quit(exit.reason);
  });
  return {
      [self](const attempt_outcome& outcome) { finish(self, outcome); },
      [self](atom::execute, const attempt_request& request,
             const outcome_listener_actor& listener) {
        auto worker = self->state.slots.take(request);
        if (!worker) {
          attempt_outcome busy;
          busy.task = request.task;
          busy.attempt = request.attempt;
          busy.agent = request.agent;
          busy.verdict = verdict::busy;
          busy.error = {ec::agent_busy, "agent " + to_string(request.agent) + " is at its limit"};
          self->send(listener, busy);
          return;
        }
        self->state.listeners[{request.task, request.attempt}] = listener;
        self->send(self->state.workers[*worker], atom::execute_v, request);
      },
      [self](atom::cancel, const task_id& task, std::uint32_t attempt) {
        if (auto worker = self->state.slots.find({task, attempt}))
          self->send(self->state.workers[*worker], atom::cancel_v, task, attempt);
      },
  };
}

} // namespace rolecall
