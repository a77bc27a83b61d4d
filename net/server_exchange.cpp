#include "net/server_exchange.hpp"

#include "net/response_head.hpp"

#include <utility>

namespace rolecall::net {

void exchange_state::disconnect() {
  gone = true;
  auto call = std::exchange(on_gone, nullptr);
  if (call && !answered)
    call();
}

server_exchange::server_exchange(message request, std::weak_ptr<server_connection> connection,
                                 std::shared_ptr<exchange_state> state,
                                 std::shared_ptr<server_inbox> inbox)
    : request_{std::move(request)},
      connection_{std::move(connection)},
      state_{std::move(state)},
      inbox_{std::move(inbox)} {
  auto& target = request_.target;
  auto mark = target.find('?');
  if (mark != std::string::npos) {
    query_ = target.substr(mark + 1);
    target.resize(mark);
  }
}

server_exchange::~server_exchange() {
  if (!state_->answered)
    respond(error_response(500, "no_response", "the server has no answer to this request"));
}

void server_exchange::respond(http_response response) {
  if (state_->answered.exchange(true))
    return;
  if (!is_sendable(response))
    response = error_response(500, "bad_response", "the server made an answer it cannot send");
  inbox_->push(answer{connection_, std::move(response)});
}

void server_exchange::on_disconnect(std::function<void()> gone) {
  inbox_->push(disconnect_watch{state_, std::move(gone)});
}

} // namespace rolecall::net
