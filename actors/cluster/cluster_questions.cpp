// Questions to other nodes, and theirs.
#include "actors/cluster/cluster_parts.hpp"

namespace rolecall {

namespace {

constexpr std::size_t max_questions = 10'000;

peer_reply failed(ec kind, std::string why) {
  return {failure{kind, std::move(why)}};
}

template <class Condition>
void fail_if(cluster_self self, Condition condition, const failure& why) {
  auto& all = self->state.questions;
  for (auto each = all.begin(); each != all.end();) {
    if (condition(each->second)) {
      each->second.promise.deliver(peer_reply{why});
      each = all.erase(each);
    } else {
      ++each;
    }
  }
}

/// Asks the actor of this node that knows, and sends its answer.
struct answerer {
  cluster_self self;
  node_name from;
  std::uint64_t id;

  void send(node_reply reply) const {
    if (!tell(self, from, numbered_reply{id, std::move(reply)}))
      tell(self, from, numbered_reply{id, failure{ec::too_large, "the answer is too large"}});
  }
  template <class Value, class Actor, class... Words>
  void ask(const Actor& actor, const Words&... words) const {
    self->request(actor, self->state.options.answer_timeout, words...)
        .then([me = *this](const Value& value) { me.send(value); },
              [me = *this](caf::error& error) { me.send(to_failure(error)); });
  }

  void operator()(const describe_tasks& q) const {
    ask<std::vector<task_detail>>(self->state.tasks, atom::describe_v, q.tasks);
  }
  void operator()(const task_query& q) const { ask<task_page>(self->state.tasks, atom::list_v, q); }
  void operator()(const cancel_tasks& q) const {
    if (q.tasks.empty())
      ask<cancel_count>(self->state.tasks, atom::cancel_v, q.query);
    else
      ask<cancel_count>(self->state.tasks, atom::cancel_v, q.tasks);
  }
  void operator()(const retry_task& q) const {
    auto me = *this;
    self->request(self->state.tasks, self->state.options.answer_timeout, atom::retry_v, q.task,
                  q.fresh)
        .then([me](const task_detail& task) { me.send(std::vector{task}); },
              [me](caf::error& error) { me.send(to_failure(error)); });
  }
  void operator()(const explain_task& q) const {
    auto me = *this;
    auto timeout = self->state.options.answer_timeout;
    self->request(self->state.peers.router, timeout, atom::explain_v, q.task)
        .then(
            [me, timeout](const wait_explanation& why) {
              me.self->request(me.self->state.peers.manager, timeout, atom::status_v)
                  .then(
                      [me, why](const fleet_status& fleet) {
                        me.send(wait_answer{why, fleet});
                      },
                      [me](caf::error& error) { me.send(to_failure(error)); });
            },
            [me](caf::error& error) { me.send(to_failure(error)); });
  }
  void operator()(const drain_agent& q) const {
    ask<agent_record>(self->state.peers.manager, atom::drain_v, q.agent);
  }
  void operator()(const spawn_agent& q) const {
    auto me = *this;
    constexpr millis spawn_timeout{90'000}; // the manager has a bound of its own
    self->request(self->state.peers.manager, spawn_timeout, atom::spawn_v, q.role)
        .then([me](const agent_record& agent) { me.send(agent); },
              [me](caf::error& error) { me.send(to_failure(error)); });
  }
  void operator()(const fleet_wanted&) const {
    ask<fleet_status>(self->state.peers.manager, atom::status_v);
  }
};

} // namespace

cluster_state::~cluster_state() {
  for (auto& [id, question] : questions)
    question.promise.deliver(failed(ec::shutting_down, "the node ends"));
  if (leave_promise.pending())
    leave_promise.deliver(false);
  for (auto& [link, connection] : connections)
    connection.stream->close();
}

caf::result<peer_reply> ask(cluster_self self, const peer_question& asked) {
  auto& state = self->state;
  if (state.questions.size() >= max_questions)
    return failed(ec::queue_full, "too many questions to other nodes have no answer yet");
  auto id = state.next_question++;
  if (!tell(self, asked.node, numbered_question{id, asked.question}))
    return failed(ec::node_stopped, "there is no link with the node \"" + asked.node.str() + "\"");
  auto patience = std::holds_alternative<spawn_agent>(asked.question)
                      ? millis{90'000}
                      : state.options.answer_timeout;
  auto promise = self->make_response_promise<peer_reply>();
  state.questions[id] = {promise, asked.node, now(self) + patience};
  return promise;
}

void on_question(cluster_self self, const node_name& from, const numbered_question& asked) {
  answerer answer{self, from, asked.id};
  if (!self->state.tasks)
    return answer.send(failure{ec::shutting_down, "the node is starting"});
  std::visit(answer, asked.question);
}

void on_reply(cluster_self self, const node_name& from, numbered_reply& reply) {
  auto found = self->state.questions.find(reply.id);
  if (found == self->state.questions.end() || found->second.node != from)
    return;
  auto promise = found->second.promise;
  self->state.questions.erase(found);
  promise.deliver(peer_reply{std::move(reply.reply)});
}

void fail_questions(cluster_self self, const node_name& node, const std::string& why) {
  fail_if(self, [&](const auto& question) { return question.node == node; },
          {ec::node_stopped, "the node \"" + node.str() + "\" is gone: " + why});
}

void fail_overdue_questions(cluster_self self) {
  fail_if(self, [&](const auto& question) { return question.due <= now(self); },
          {ec::timeout, "the node that was asked has not answered in time"});
}

} // namespace rolecall
