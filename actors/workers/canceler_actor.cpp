#include "actors/workers/canceler_actor.hpp"

#include "actors/workers/connectors/agents_service_connector.hpp"

#include <caf/send.hpp>

namespace rolecall {

namespace {

using self_pointer = canceler_actor::stateful_pointer<canceler_state>;

void send_next(self_pointer self, const std::string& service_url) {
  auto& state = self->state;
  auto me = caf::actor_cast<canceler_actor>(self);
  while (auto notice = state.line.next(service_url, now(self))) {
    auto http = to_request(*notice);
    http.timeout = http.connect_timeout = state.line.options().timeout;
    state.client->start(std::move(http), [me, service_url](const net::http_result& result) {
      const auto* answer = std::get_if<net::http_response>(&result);
      caf::anon_send(me, cancel_ended{service_url, answer ? answer->status : 0});
    });
  }
  if (state.closing && state.line.idle())
    self->quit();
}

} // namespace

canceler_actor::behavior_type canceler(self_pointer self, std::shared_ptr<net::http_client> client,
                                       cancel_options options) {
  set_quiet_handlers(self);
  self->state.line = cancel_line{options};
  self->state.client = std::move(client);
  self->set_exit_handler([self](const caf::exit_msg&) {
    self->state.closing = true;
    if (self->state.line.idle())
      return self->quit();
    self->delayed_send(self, self->state.line.options().timeout, atom::wake_v);
  });
  return {
      [self](const cancel_notice& notice) {
        self->state.line.add(notice, now(self));
        send_next(self, notice.service_url);
      },
      [self](const cancel_ended& news) {
        self->state.line.ended(news.service_url, news.status);
        send_next(self, news.service_url);
      },
      [self](atom::wake) { self->quit(); },
  };
}

} // namespace rolecall
