#include "actors/workers/pool_actor.hpp"

#include <algorithm>

namespace rolecall {

namespace {

using self_pointer = pool_actor::stateful_pointer<pool_state>;

/// Whether the connection was closed on the agent while it worked: by a cancel, by the attempt's
/// time limit, or because its worker ended.
bool ended_early(const attempt_outcome& outcome) {
  return outcome.verdict == verdict::canceled || outcome.error.kind == ec::timeout ||
         outcome.error.kind == ec::worker_lost;
}

void finish(self_pointer self, attempt_outcome outcome) {
  attempt_key key{outcome.task, outcome.attempt};
  auto& state = self->state;
  state.slots.release(key);
  auto attempt = state.attempts.extract(key);
  if (attempt.empty())
    return;
  if (ended_early(outcome))
    self->send(state.canceler, cancel_notice{attempt.mapped().service_url, outcome.agent.id,
                                             outcome.task, outcome.attempt});
  self->send(attempt.mapped().listener, std::move(outcome));
}

/// An outcome that the pool gives by itself.
attempt_outcome outcome_of(const task_id& task, std::uint32_t attempt, const agent_key& agent,
                           verdict what, failure why) {
  attempt_outcome result;
  result.task = task;
  result.attempt = attempt;
  result.agent = agent;
  result.verdict = what;
  result.error = std::move(why);
  return result;
}

failure lost_worker() {
  return {ec::worker_lost, "the worker that ran the attempt ended"};
}

void execute(self_pointer self, attempt_request& request, const outcome_listener_actor& listener) {
  auto& state = self->state;
  auto refuse = [&](verdict what, failure why) {
    self->send(listener,
               outcome_of(request.task, request.attempt, request.agent, what, std::move(why)));
  };
  if (state.closing)
    return refuse(verdict::retryable, lost_worker());
  auto worker = state.slots.take(request);
  if (!worker)
    return refuse(verdict::busy,
                  {ec::agent_busy, "agent " + to_string(request.agent) + " is at its limit"});
  state.attempts[{request.task, request.attempt}] = {listener, request.service_url};
  self->send(state.workers[*worker], atom::execute_v, std::move(request));
}

/// The attempts of a worker that has ended, whose connections are closed by now.
void lose_attempts(self_pointer self, std::size_t worker) {
  for (const auto& [key, agent] : self->state.slots.of_worker(worker))
    finish(self, outcome_of(key.task, key.attempt, agent, verdict::retryable, lost_worker()));
}

/// Once all workers have ended, the services of what they ran have been told of, and the canceler
/// is on its own.
void end_if_closed(self_pointer self) {
  auto& workers = self->state.workers;
  if (std::any_of(workers.begin(), workers.end(), [](const auto& each) { return each != nullptr; }))
    return;
  self->send_exit(self->state.canceler, caf::exit_reason::user_shutdown);
  self->quit(caf::exit_reason::user_shutdown);
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
  self->state.canceler = self->spawn(canceler, client, options.cancel);
  for (std::size_t i = 0; i < options.workers; ++i)
    self->state.workers.push_back(start_worker());
  self->set_down_handler([self, start_worker](const caf::down_msg& down) {
    auto& workers = self->state.workers;
    auto dead = std::find_if(workers.begin(), workers.end(), [&](const auto& candidate) {
      return candidate && candidate.address() == down.source;
    });
    if (dead == workers.end())
      return;
    *dead = self->state.closing ? worker_actor{} : start_worker();
    lose_attempts(self, static_cast<std::size_t>(dead - workers.begin()));
    if (self->state.closing)
      end_if_closed(self);
  });
  self->set_exit_handler([self](const caf::exit_msg& exit) {
    self->state.closing = true;
    for (const auto& each : self->state.workers)
      if (each)
        self->send_exit(each, exit.reason);
  });
  return {
      [self](attempt_outcome& outcome) { finish(self, std::move(outcome)); },
      [self](atom::execute, attempt_request& request, const outcome_listener_actor& listener) {
        execute(self, request, listener);
      },
      [self](atom::cancel, const task_id& task, std::uint32_t attempt) {
        if (auto worker = self->state.slots.find({task, attempt}))
          self->send(self->state.workers[*worker], atom::cancel_v, task, attempt);
      },
  };
}

} // namespace rolecall
