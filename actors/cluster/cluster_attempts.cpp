// Attempts that cross a link.
#include "actors/cluster/cluster_parts.hpp"

namespace rolecall {

namespace {

constexpr millis router_timeout{5'000};

attempt_outcome not_started(const attempt_request& request, failure why) {
  attempt_outcome result;
  result.task = request.task;
  result.attempt = request.attempt;
  result.agent = request.agent;
  result.verdict = verdict::busy;
  result.error = std::move(why);
  return result;
}

void answer_busy(cluster_self self, const node_name& to, const attempt_request& request,
                 const std::string& why) {
  share_uses(self); // it goes back to routing, which is to know better now
  tell(self, to, not_started(request, {ec::agent_busy, why}));
}

} // namespace

// -- of this node's tasks
// ----------------------------------------------------------------------------

void execute(cluster_self self, attempt_request& request, const outcome_listener_actor& listener) {
  auto& state = self->state;
  if (request.agent.node.empty() || request.agent.node == state.options.membership.node)
    return self->send(state.peers.pool, atom::execute_v, std::move(request), listener);
  if (!tell(self, request.agent.node, request))
    return self->send(
        listener, not_started(request, {ec::agent_busy, "there is no link with the node \"" +
                                                            request.agent.node.str() + "\" now"}));
  state.attempts.sent(request, now(self));
  state.listeners[{request.task, request.attempt}] = listener;
}

void cancel(cluster_self self, const task_id& task, std::uint32_t attempt) {
  auto& state = self->state;
  if (auto node = state.attempts.where({task, attempt}))
    tell(self, *node, attempt_cancel{task, attempt});
  else
    self->send(state.peers.pool, atom::cancel_v, task, attempt);
}

void on_remote_outcome(cluster_self self, const node_name& from, attempt_outcome& outcome) {
  attempt_key attempt{outcome.task, outcome.attempt};
  if (!self->state.attempts.ended(attempt, from))
    return; // it is over already: this one comes too late
  outcome.agent.node = from;
  lose(self, {outcome});
}

/// Hands outcomes of what was sent to other nodes to whoever wants them.
void lose(cluster_self self, const std::vector<attempt_outcome>& outcomes) {
  for (const auto& outcome : outcomes)
    if (auto listener = self->state.listeners.extract({outcome.task, outcome.attempt});
        !listener.empty())
      self->send(listener.mapped(), outcome);
}

// -- of peers' tasks
// ---------------------------------------------------------------------------------

/// Of what the peer says only the agent's name counts: where it is and how much it may have at a
/// time is known here. Whether it can have the attempt is the router's to say, who gives to all.
void on_remote_request(cluster_self self, const node_name& from, attempt_request& request) {
  auto& state = self->state;
  const auto* record = state.mirror.find(request.agent);
  if (!record || state.leave_promise.pending())
    return answer_busy(self, from, request,
                       "the agent " + to_string(request.agent) + " is not at the node \"" +
                           state.options.membership.node.str() + "\" any more");
  request.service_url = record->service_url;
  request.max_concurrency = record->max_concurrency;
  attempt_key attempt{request.task, request.attempt};
  if (!state.attempts.serve(from, attempt, request.agent))
    return answer_busy(self, from, request, "an attempt of a task of this name runs here already");
  auto refuse = [self, from, request, attempt](const std::string& why) {
    if (self->state.attempts.served(attempt))
      answer_busy(self, from, request, why);
    check_left(self);
  };
  self->request(state.peers.router, router_timeout, atom::admit_v, request.task, request.attempt,
                request.agent)
      .then(
          [self, from, request, attempt, refuse](bool admitted) {
            if (!admitted)
              return refuse("the agent " + to_string(request.agent) + " is at its limit");
            if (self->state.attempts.serves(from, attempt))
              return self->send(self->state.peers.pool, atom::execute_v, request,
                                caf::actor_cast<outcome_listener_actor>(self));
            // The link was lost, or the attempt canceled, while the router was asked.
            self->send(self->state.peers.router, atom::finished_v, not_started(request, {}));
          },
          [refuse](caf::error& error) { refuse("it cannot be had: " + to_string(error)); });
}

void on_remote_cancel(cluster_self self, const node_name& from, const attempt_cancel& what) {
  if (self->state.attempts.serves(from, {what.task, what.attempt}))
    self->send(self->state.peers.pool, atom::cancel_v, what.task, what.attempt);
}

void on_served(cluster_self self, const attempt_outcome& outcome) {
  auto& state = self->state;
  self->send(state.peers.router, atom::finished_v, outcome);
  if (auto origin = state.attempts.served({outcome.task, outcome.attempt}))
    if (!tell(self, *origin, outcome)) {
      auto shorter = outcome;
      shorter.verdict = verdict::failed;
      shorter.output = {};
      shorter.error = {ec::too_large,
                       "the answer is larger than what one message between nodes holds"};
      tell(self, *origin, shorter);
    }
  check_left(self);
}

void check_left(cluster_self self) {
  auto& state = self->state;
  if (!state.leave_promise.pending())
    return;
  for (const auto& [node, peer] : state.nodes)
    if (state.attempts.served_for(node) > 0)
      return;
  state.leave_promise.deliver(true);
}

} // namespace rolecall
