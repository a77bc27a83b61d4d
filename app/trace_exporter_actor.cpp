#include "app/trace_exporter_actor.hpp"

#include "app/event_logger.hpp"

#include <caf/send.hpp>

namespace rolecall {

namespace {

using self_pointer = trace_exporter_actor::stateful_pointer<trace_exporter_state>;

std::string problem_in(const net::http_result& result) {
  if (const auto* lost = std::get_if<net::http_failure>(&result))
    return lost->message;
  auto status = std::get<net::http_response>(result).status;
  return status / 100 == 2 ? "" : "the collector answered " + std::to_string(status);
}

void export_batch(self_pointer self) {
  auto& state = self->state;
  if (state.exporting || state.spans.empty())
    return;
  auto count = std::min(state.spans.size(), state.options.max_batch);
  auto end = state.spans.begin() + static_cast<std::ptrdiff_t>(count);
  std::vector<nlohmann::ordered_json> batch{std::make_move_iterator(state.spans.begin()),
                                            std::make_move_iterator(end)};
  state.spans.erase(state.spans.begin(), end);
  net::http_request request;
  request.method = "POST";
  request.url = state.options.url + "/v1/traces";
  request.headers = {{"Content-Type", "application/json"}};
  request.timeout = state.options.timeout;
  request.max_body_bytes = 1u << 20;
  request.body = std::make_shared<const std::string>(
      export_request(batch, state.options.node, state.options.version));
  state.exporting = true;
  auto me = caf::actor_cast<trace_exporter_actor>(self);
  state.client->start(std::move(request), [me](const net::http_result& result) {
    caf::anon_send(me, export_ended{problem_in(result)});
  });
}

void on_ended(self_pointer self, const std::string& problem) {
  auto& state = self->state;
  state.exporting = false;
  if (state.failing != !problem.empty()) {
    state.failing = !problem.empty();
    if (state.failing)
      log_event(spdlog::level::warn, "traces_not_exported", {{"problem", problem}});
    else
      log_event(spdlog::level::info, "traces_exported_again",
                {{"dropped", std::exchange(state.dropped, 0)}});
  }
  if (!state.failing && state.spans.size() >= state.options.max_batch)
    export_batch(self);
}

void on_event(self_pointer self, const task_event& event) {
  auto& state = self->state;
  if (event.number == 0)
    return;
  for (auto& span : spans_of(event)) {
    if (state.spans.size() < state.options.max_spans)
      state.spans.push_back(std::move(span));
    else
      ++state.dropped;
  }
  if (!state.failing && state.spans.size() >= state.options.max_batch)
    export_batch(self);
}

} // namespace

trace_exporter_actor::behavior_type trace_exporter(self_pointer self, coordinator_actor coordinator,
                                                   std::shared_ptr<net::http_client> client,
                                                   trace_exporter_options options) {
  set_quiet_handlers(self);
  self->state.options = std::move(options);
  self->state.client = std::move(client);
  self->send(coordinator, atom::subscribe_v, caf::actor_cast<task_listener_actor>(self));
  self->delayed_send(self, self->state.options.interval, atom::wake_v);
  return {
      [self](const task_event& event) { on_event(self, event); },
      [self](const export_ended& news) { on_ended(self, news.problem); },
      [self](atom::wake) {
        export_batch(self);
        self->delayed_send(self, self->state.options.interval, atom::wake_v);
      },
  };
}

} // namespace rolecall
