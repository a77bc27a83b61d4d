#include "app/api/handlers.hpp"

#include "app/process_figures.hpp"
#include "messages/json_codec.hpp"

#include <algorithm>

namespace rolecall::api {

namespace {

json or_null(std::optional<double> value) {
  return value ? json(*value) : json(nullptr);
}

/// What the last minutes add up to.
struct summed_window {
  duration_histogram latency;
  std::uint64_t ended{0};
  std::uint64_t completed{0};
};

json bucket_view(const stats_bucket& bucket) {
  auto count = [&](task_state state) { return bucket.ended[static_cast<std::size_t>(state)]; };
  return {{"at", time_text(unix_time{bucket.number * stats::bucket_ms})},
          {"accepted", bucket.accepted},
          {"completed", count(task_state::completed)},
          {"failed", count(task_state::failed)},
          {"canceled", count(task_state::canceled)},
          {"rejected", count(task_state::rejected)},
          {"p50_ms", or_null(bucket.latency.percentile(0.5))},
          {"p90_ms", or_null(bucket.latency.percentile(0.9))},
          {"p99_ms", or_null(bucket.latency.percentile(0.99))}};
}

json tasks_view(const stats& counts) {
  json result{{"submitted", counts.open() - std::min(counts.open(), counts.working())},
              {"working", counts.working()}};
  for (auto state :
       {task_state::completed, task_state::failed, task_state::canceled, task_state::rejected})
    result[to_string(state)] = counts.total(state);
  return result;
}

json agents_view(const fleet_status& fleet) {
  std::uint64_t ready = 0;
  std::uint64_t draining = 0;
  std::uint64_t unhealthy = 0;
  for (const auto& role : fleet.role_states) {
    ready += role.ready;
    draining += role.draining;
    unhealthy += role.unhealthy;
  }
  return {{"ready", ready},
          {"draining", draining},
          {"unhealthy", unhealthy},
          {"spawned", fleet.spawned},
          {"spawns_failed", fleet.spawns_failed},
          {"retired", fleet.retired}};
}

json stats_view(const api_state& state, const fleet_status& fleet, unix_time at) {
  summed_window all;
  auto buckets = json::array();
  for (const auto& bucket : state.counts.window(at)) {
    buckets.push_back(bucket_view(bucket));
    all.latency.add(bucket.latency);
    for (auto count : bucket.ended)
      all.ended += count;
    all.completed += bucket.ended[static_cast<std::size_t>(task_state::completed)];
  }
  auto rate = all.ended == 0
                  ? json(nullptr)
                  : json(static_cast<double>(all.completed) / static_cast<double>(all.ended));
  return {{"tasks", tasks_view(state.counts)},
          {"accepted", state.counts.accepted()},
          {"retries", state.counts.retries()},
          {"agents", agents_view(fleet)},
          {"success_rate", std::move(rate)},
          {"latency_ms",
           {{"p50", or_null(all.latency.percentile(0.5))},
            {"p90", or_null(all.latency.percentile(0.9))},
            {"p99", or_null(all.latency.percentile(0.99))}}},
          {"window",
           {{"seconds", stats::bucket_ms * stats::bucket_count / 1'000},
            {"bucket_seconds", stats::bucket_ms / 1'000},
            {"buckets", std::move(buckets)}}},
          {"last_event_id", std::to_string(state.events->last_id())},
          {"node", state.settings.node.name},
          {"at", time_text(at)}};
}

/// Whether tasks can be given to agents: none if so, else why not.
std::optional<std::string> not_ready(const api_state& state, const fleet_status& fleet) {
  if (state.draining)
    return "the node is shutting down";
  if (fleet.services.empty())
    return std::nullopt; // an entrance to a cluster: the agents are at other nodes
  std::string problems;
  for (const auto& service : fleet.services) {
    if (service.reachable)
      return std::nullopt;
    problems += (problems.empty() ? "" : "; ") + service.url + ": " + service.problem;
  }
  return "no agents service has answered: " + problems;
}

} // namespace

void show_stats(api_self self, const call_ptr& request) {
  if (refuse_wrong_query(self, request))
    return;
  self->request(self->state.peers.manager, answer_timeout, atom::status_v)
      .then(
          [self, request](const fleet_status& fleet) {
            reply(self, request, json_response(200, stats_view(self->state, fleet, wall(self))));
          },
          refuser(self, request));
}

void show_metrics(api_self self, const call_ptr& request) {
  if (refuse_wrong_query(self, request))
    return;
  auto& peers = self->state.peers;
  auto answer = [self, request](const fleet_status& fleet, const routing_status& routing) {
    auto& state = self->state;
    auto& figures = *state.figures;
    figures.set(fleet, routing, state.counts);
    figures.set_readers(state.readers->count(), state.readers->cut_off());
    figures.set(read_process_figures());
    reply(self, request,
          {200, {{"Content-Type", "text/plain; version=0.0.4; charset=utf-8"}}, figures.text()});
  };
  self->request(peers.manager, answer_timeout, atom::status_v)
      .then(
          [self, request, answer](const fleet_status& fleet) {
            self->request(self->state.peers.router, answer_timeout, atom::status_v)
                .then(
                    [self, request, answer, fleet](const routing_status& routing) {
                      const auto& cluster = self->state.peers.cluster;
                      if (!cluster)
                        return answer(fleet, routing);
                      self->request(cluster, answer_timeout, atom::status_v)
                          .then(
                              [self, answer, fleet, routing](const cluster_status& links) {
                                self->state.figures->set(links);
                                answer(fleet, routing);
                              },
                              refuser(self, request));
                    },
                    refuser(self, request));
          },
          refuser(self, request));
}

void show_health(api_self self, const call_ptr& request) {
  if (!refuse_wrong_query(self, request))
    reply(self, request, json_response(200, json{{"status", "ok"}}));
}

void show_readiness(api_self self, const call_ptr& request) {
  if (refuse_wrong_query(self, request))
    return;
  auto answer = [self, request](const fleet_status& fleet) {
    if (auto why = not_ready(self->state, fleet))
      refuse(self, request, {"not_ready", *why, {}, {{"Retry-After", "1"}}});
    else
      reply(self, request, json_response(200, json{{"status", "ready"}}));
  };
  // The router has to answer too: it is what tasks go through.
  self->request(self->state.peers.router, answer_timeout, atom::idle_v, role_name{}, millis{0})
      .then(
          [self, request, answer](const std::vector<agent_key>&) {
            self->request(self->state.peers.manager, answer_timeout, atom::status_v)
                .then(answer, refuser(self, request));
          },
          refuser(self, request));
}

} // namespace rolecall::api
