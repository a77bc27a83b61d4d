#include "actors/cluster/cluster_tasks_actor.hpp"

#include <algorithm>

namespace rolecall {

namespace {

using self_pointer = tasks_actor::stateful_pointer<cluster_tasks_state>;

constexpr millis own_timeout{10'000};
constexpr millis peer_timeout{5'000}; ///< more than the cluster actor's own

/// Marks a node that has no more tasks: no task has a smaller number.
constexpr std::uint64_t no_more = 1;

/// What the other nodes said.
struct replies {
  std::vector<std::pair<node_name, node_reply>> come;
  std::vector<std::string> silent; ///< without a link, or without an answer in time
  bool settled{true};              ///< as in `peer_nodes`

  /// Whether a task that nobody here said to have is nowhere.
  bool complete() const { return silent.empty() && settled; }
};

/// Whether a node could not be asked, or not the actor that knows.
bool is_silence(const node_reply& reply) {
  const auto* why = std::get_if<failure>(&reply);
  return why && (why->kind == ec::node_stopped || why->kind == ec::timeout ||
                 why->kind == ec::shutting_down || why->kind == ec::queue_full);
}

/// Asks all other nodes, and goes on with what they said.
void ask_all(self_pointer self, const std::function<node_question(const node_name&)>& question,
             const std::function<void(replies)>& next) {
  struct gathering {
    std::size_t missing{0};
    replies all;
  };
  self->request(self->state.peers, own_timeout, atom::list_v)
      .then(
          [self, question, next](const peer_nodes& nodes) {
            auto gathered = std::make_shared<gathering>();
            gathered->missing = nodes.linked.size();
            gathered->all.silent = nodes.lost;
            gathered->all.settled = nodes.settled;
            if (nodes.linked.empty())
              return next(std::move(gathered->all));
            auto came = [gathered, next](const node_name& node, node_reply reply) {
              if (is_silence(reply))
                gathered->all.silent.push_back(node.str());
              else
                gathered->all.come.emplace_back(node, std::move(reply));
              if (--gathered->missing == 0)
                next(std::move(gathered->all));
            };
            for (const auto& node : nodes.linked)
              self->request(self->state.peers, peer_timeout, peer_question{node, question(node)})
                  .then([came, node](peer_reply& reply) { came(node, std::move(reply.reply)); },
                        [came, node](caf::error& error) { came(node, to_failure(error)); });
          },
          [next](caf::error&) { next({}); });
}

caf::error unreachable(const task_id& task, const replies& said) {
  std::string names;
  for (const auto& node : said.silent)
    names += (names.empty() ? "" : ", ") + node;
  auto what = "the task \"" + task.str() + "\" is not known here, and may be at ";
  return caf::make_error(
      ec::node_unreachable,
      said.silent.empty()
          ? what + "a node that has not been found yet, since this one has just started: try again"
          : what + names + ", which cannot be asked just now: try again later, or ask there");
}

template <class Promise>
auto failing(Promise promise) {
  return [promise](caf::error& error) mutable { promise.deliver(std::move(error)); };
}

/// Answers with the task that was asked for.
auto answering(const task_id& id, caf::typed_response_promise<task_record> promise) {
  return [id, promise](const std::vector<task_detail>& found) mutable {
    if (found.empty())
      promise.deliver(caf::make_error(ec::unknown_task, "there is no task \"" + id.str() + "\""));
    else
      promise.deliver(task_record{*found.front().record});
  };
}

bool has(const std::vector<task_detail>& tasks, const task_id& id) {
  return std::any_of(tasks.begin(), tasks.end(),
                     [&](const auto& task) { return task.record->id == id; });
}

/// Those of these tasks that are known anywhere.
void describe(self_pointer self, const std::vector<task_id>& ids,
              const std::function<void(std::vector<task_detail>)>& next,
              const std::function<void(caf::error&)>& failed) {
  self->request(self->state.own, own_timeout, atom::describe_v, ids)
      .then(
          [self, ids, next, failed](std::vector<task_detail>& found) {
            std::vector<task_id> missing;
            for (const auto& id : ids)
              if (!has(found, id))
                missing.push_back(id);
            if (missing.empty())
              return next(std::move(found));
            ask_all(
                self, [missing](const node_name&) { return describe_tasks{missing}; },
                [next, failed, found, missing](const replies& said) mutable {
                  for (const auto& [node, reply] : said.come)
                    if (const auto* tasks = std::get_if<std::vector<task_detail>>(&reply))
                      for (auto task : *tasks) {
                        task.record.edit().home = node;
                        found.push_back(std::move(task));
                      }
                  auto lacking = std::find_if(missing.begin(), missing.end(),
                                              [&](const auto& id) { return !has(found, id); });
                  if (lacking != missing.end() && !said.complete()) {
                    auto error = unreachable(*lacking, said);
                    return failed(error);
                  }
                  next(std::move(found));
                });
          },
          failed);
}

/// Has this node's coordinator and the others cancel tasks.
template <class Words>
caf::result<cancel_count> cancel(self_pointer self, const Words& which, cancel_tasks elsewhere) {
  auto promise = self->make_response_promise<cancel_count>();
  self->request(self->state.own, own_timeout, atom::cancel_v, which)
      .then(
          [self, promise, elsewhere](const cancel_count& own) {
            ask_all(
                self, [elsewhere](const node_name&) { return elsewhere; },
                [promise, sum = own](replies said) mutable {
                  for (const auto& [node, reply] : said.come)
                    if (const auto* more = std::get_if<cancel_count>(&reply))
                      sum.canceled += more->canceled;
                  sum.unreachable = std::move(said.silent);
                  promise.deliver(std::move(sum));
                });
          },
          failing(promise));
  return promise;
}

/// A task that this node does not have.
void cancel_elsewhere(self_pointer self, const task_id& id,
                      caf::typed_response_promise<task_record> promise) {
  ask_all(
      self,
      [id](const node_name&) {
        return cancel_tasks{{id}, {}};
      },
      [self, id, promise](const replies&) {
        describe(self, {id}, answering(id, promise), failing(promise));
      });
}

void retry_elsewhere(self_pointer self, const task_id& id, const task_id& fresh, caf::error unknown,
                     caf::typed_response_promise<task_detail> promise) {
  ask_all(
      self,
      [id, fresh](const node_name&) {
        return retry_task{id, fresh};
      },
      [promise, id, unknown](const replies& said) mutable {
        if (!said.complete())
          unknown = unreachable(id, said);
        for (const auto& [node, reply] : said.come) {
          if (const auto* tasks = std::get_if<std::vector<task_detail>>(&reply);
              tasks && !tasks->empty()) {
            auto task = tasks->front();
            task.record.edit().home = node;
            promise.deliver(std::move(task));
            return;
          }
          if (const auto* why = std::get_if<failure>(&reply); why && why->kind != ec::unknown_task)
            unknown = caf::make_error(why->kind, why->message);
        }
        promise.deliver(std::move(unknown));
      });
}

} // namespace

task_page merge_pages(std::vector<std::pair<node_name, task_page>> pages, const task_query& query) {
  task_page result;
  struct head {
    const node_name* node;
    const task_page* page;
    std::size_t next;
  };
  std::vector<head> heads;
  for (auto& [node, page] : pages) {
    for (auto& task : page.tasks)
      task.home = node;
    heads.push_back({&node, &page, 0});
  }
  auto newest = [&]() -> head* {
    head* best = nullptr;
    for (auto& h : heads)
      if (h.next < h.page->tasks.size() &&
          (!best ||
           h.page->tasks[h.next].submitted_at > best->page->tasks[best->next].submitted_at))
        best = &h;
    return best;
  };
  result.positions = query.positions; // of those that have not answered it stays
  while (result.tasks.size() < query.limit) {
    auto* h = newest();
    if (!h)
      break;
    result.positions[*h->node] = h->page->tasks[h->next].number;
    result.tasks.push_back(h->page->tasks[h->next++]);
  }
  auto more = false;
  for (const auto& h : heads) {
    auto over = h.next == h.page->tasks.size();
    if (over)
      result.positions[*h.node] = h.page->next == 0 ? no_more : h.page->next;
    more = more || !over || h.page->next != 0;
  }
  if (!more)
    result.positions.clear();
  return result;
}

tasks_actor::behavior_type cluster_tasks(self_pointer self, tasks_actor own, peer_nodes_actor peers,
                                         node_name node) {
  set_quiet_handlers(self);
  self->state.own = std::move(own);
  self->state.peers = std::move(peers);
  self->state.node = std::move(node);
  return {
      [self](atom::submit, const std::vector<task_spec>& specs) {
        return self->delegate(self->state.own, atom::submit_v, specs);
      },
      [self](atom::cancel, const task_id& id) -> caf::result<task_record> {
        auto promise = self->make_response_promise<task_record>();
        self->request(self->state.own, own_timeout, atom::cancel_v, id)
            .then([promise](task_record& record) mutable { promise.deliver(std::move(record)); },
                  [self, id, promise](caf::error& error) mutable {
                    if (error == ec::unknown_task)
                      cancel_elsewhere(self, id, promise);
                    else
                      promise.deliver(std::move(error));
                  });
        return promise;
      },
      [self](atom::cancel, const std::vector<task_id>& ids) -> caf::result<cancel_count> {
        return cancel(self, ids, {ids, {}});
      },
      [self](atom::cancel, const task_query& query) -> caf::result<cancel_count> {
        return cancel(self, query, {{}, query});
      },
      [self](atom::get, const task_id& id) -> caf::result<task_record> {
        auto promise = self->make_response_promise<task_record>();
        describe(self, {id}, answering(id, promise), failing(promise));
        return promise;
      },
      [self](atom::drain) { return self->delegate(self->state.own, atom::drain_v); },
      [self](atom::describe,
             const std::vector<task_id>& ids) -> caf::result<std::vector<task_detail>> {
        auto promise = self->make_response_promise<std::vector<task_detail>>();
        describe(
            self, ids,
            [promise](std::vector<task_detail> found) mutable {
              promise.deliver(std::move(found));
            },
            failing(promise));
        return promise;
      },
      [self](atom::retry, const task_id& id, const task_id& fresh) -> caf::result<task_detail> {
        auto promise = self->make_response_promise<task_detail>();
        self->request(self->state.own, own_timeout, atom::retry_v, id, fresh)
            .then([promise](task_detail& task) mutable { promise.deliver(std::move(task)); },
                  [self, id, fresh, promise](caf::error& error) mutable {
                    if (error == ec::unknown_task)
                      retry_elsewhere(self, id, fresh, std::move(error), promise);
                    else
                      promise.deliver(std::move(error));
                  });
        return promise;
      },
      [self](atom::list, const task_query& query) -> caf::result<task_page> {
        auto promise = self->make_response_promise<task_page>();
        auto part_of = [query](const node_name& node) {
          auto part = query;
          auto position = query.positions.find(node);
          part.before = position == query.positions.end() ? 0 : position->second;
          part.positions.clear();
          return part;
        };
        self->request(self->state.own, own_timeout, atom::list_v, part_of(self->state.node))
            .then(
                [self, promise, query, part_of](const task_page& own) {
                  ask_all(self, part_of, [self, promise, query, own](replies said) mutable {
                    std::vector<std::pair<node_name, task_page>> pages{{self->state.node, own}};
                    for (const auto& [node, reply] : said.come)
                      if (const auto* page = std::get_if<task_page>(&reply))
                        pages.emplace_back(node, *page);
                    auto merged = merge_pages(std::move(pages), query);
                    merged.unreachable = std::move(said.silent);
                    promise.deliver(std::move(merged));
                  });
                },
                failing(promise));
        return promise;
      },
      [self](atom::subscribe, const task_listener_actor& listener) {
        self->send(self->state.own, atom::subscribe_v, listener);
      },
      [self](atom::subscribe, const task_listener_actor& listener, std::uint32_t past) {
        self->send(self->state.own, atom::subscribe_v, listener, past);
      },
  };
}

} // namespace rolecall
