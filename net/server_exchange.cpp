#include "net/server_exchange.hpp"

#include "net/response_head.hpp"

#include <utility>

namespace rolecall::net {

namespace {

class server_stream final : public response_stream {
public:
  server_stream(std::weak_ptr<server_connection> connection, std::shared_ptr<exchange_state> state,
                std::shared_ptr<server_inbox> inbox)
      : connection_{std::move(connection)}, state_{std::move(state)}, inbox_{std::move(inbox)} {}

  ~server_stream() override {
    if (!finished_)
      inbox_->push(stream_abort{connection_, state_});
  }

  bool write(std::shared_ptr<const std::string> part) override {
    if (!state_->stream_open)
      return false;
    state_->backlog += part->size();
    inbox_->push(stream_part{connection_, state_, std::move(part)});
    return true;
  }

  void finish() override {
    if (finished_.exchange(true))
      return;
    inbox_->push(stream_part{connection_, state_, nullptr});
  }

  std::size_t backlog() const override { return state_->backlog; }

  void when_below(std::size_t bytes, std::function<void()> call) override {
    inbox_->push(drain_watch{state_, bytes, std::move(call)});
  }

private:
  std::weak_ptr<server_connection> connection_;
  std::shared_ptr<exchange_state> state_;
  std::shared_ptr<server_inbox> inbox_;
  std::atomic<bool> finished_{false};
};

} // namespace

void exchange_state::disconnect() {
  gone = true;
  auto whole = answered && !stream_open;
  stream_open = false;
  on_drained = nullptr;
  auto call = std::exchange(on_gone, nullptr);
  if (call && !whole)
    call();
}

server_exchange::server_exchange(message request, bool streams, std::string peer,
                                 std::weak_ptr<server_connection> connection,
                                 std::shared_ptr<exchange_state> state,
                                 std::shared_ptr<server_inbox> inbox)
    : request_{std::move(request)},
      streams_{streams},
      peer_{std::move(peer)},
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
  if (!state_->answered.exchange(true))
    inbox_->push(answer{connection_, {}, "the server has no answer to this request"});
}

void server_exchange::read_body(std::function<void(body_piece)> next) {
  auto whole = streams_ ? std::nullopt : std::optional{request_.body};
  inbox_->push(body_order{connection_, state_, std::move(next), std::move(whole)});
}

void server_exchange::respond(http_response response) {
  if (state_->answered.exchange(true))
    return;
  if (is_sendable(response))
    inbox_->push(answer{connection_, std::move(response)});
  else
    inbox_->push(answer{connection_, {}, "the server made an answer that it cannot send"});
}

std::shared_ptr<response_stream> server_exchange::respond_streamed(http_response head) {
  if (!is_sendable(head)) {
    respond(std::move(head)); // which says so
    return nullptr;
  }
  if (state_->answered.exchange(true))
    return nullptr;
  state_->stream_open = true;
  inbox_->push(stream_head{connection_, state_, std::move(head)});
  return std::make_shared<server_stream>(connection_, state_, inbox_);
}

void server_exchange::on_disconnect(std::function<void()> gone) {
  inbox_->push(disconnect_watch{state_, std::move(gone)});
}

} // namespace rolecall::net
