#pragma once

#include "net/http_server.hpp"
#include "net/inbox.hpp"
#include "net/message_parser.hpp"

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>

namespace rolecall::net {

class server_connection;

/// What the connection and the exchange both know of how it ends.
struct exchange_state {
  std::atomic<bool> answered{false};    ///< set by `respond`, from any thread
  std::atomic<std::size_t> backlog{0};  ///< bytes of a streamed response that wait to be taken
  std::atomic<bool> stream_open{false}; ///< a streamed response can be written to
  bool gone{false};                     ///< this and what follows belongs to the loop's thread
  std::function<void()> on_gone;
  std::function<void()> on_drained; ///< see `response_stream::when_below`
  std::size_t drained_at{0};

  /// The client is gone, or the server shuts down. Calls `on_gone`, once, unless the response is
  /// whole. On the loop's thread.
  void disconnect();
};

/// A response on its way to the connection it is for; or, with `fault`, why there is none.
struct answer {
  std::weak_ptr<server_connection> connection;
  http_response response;
  const char* fault{nullptr};
};

/// A callback on its way to the exchange's state.
struct disconnect_watch {
  std::shared_ptr<exchange_state> state;
  std::function<void()> gone;
};

/// Somebody wants the next part of a request's body.
struct body_order {
  std::weak_ptr<server_connection> connection;
  std::shared_ptr<exchange_state> state;
  std::function<void(body_piece)> next;
  std::optional<std::string> whole; ///< the body, if it has been read already
};

/// The head of a streamed response.
struct stream_head {
  std::weak_ptr<server_connection> connection;
  std::shared_ptr<exchange_state> state;
  http_response head;
};

/// A part of a streamed response; null: its end.
struct stream_part {
  std::weak_ptr<server_connection> connection;
  std::shared_ptr<exchange_state> state;
  std::shared_ptr<const std::string> part;
};

/// A streamed response that was given up.
struct stream_abort {
  std::weak_ptr<server_connection> connection;
  std::shared_ptr<exchange_state> state;
};

struct drain_watch {
  std::shared_ptr<exchange_state> state;
  std::size_t bytes;
  std::function<void()> call;
};

using server_inbox = inbox<std::variant<answer, disconnect_watch, body_order, stream_head,
                                        stream_part, stream_abort, drain_watch>>;

/// The exchange that handlers see. It reaches its connection through the server's inbox only, so it
/// may be used on any thread, and may outlive the connection, the server and the loop.
class server_exchange final : public http_exchange {
public:
  /// `streams`: the body is still to be read.
  server_exchange(message request, bool streams, std::string peer,
                  std::weak_ptr<server_connection> connection,
                  std::shared_ptr<exchange_state> state, std::shared_ptr<server_inbox> inbox);
  ~server_exchange() override; ///< sends 500 if there was no response

  const std::string& method() const override { return request_.method; }
  const std::string& path() const override { return request_.target; }
  const std::string& query() const override { return query_; }
  const net::headers& headers() const override { return request_.headers; }
  const std::string& body() const override { return request_.body; }
  const std::string& peer() const override { return peer_; }

  void read_body(std::function<void(body_piece)> next) override;
  void respond(http_response response) override;
  std::shared_ptr<response_stream> respond_streamed(http_response head) override;
  void on_disconnect(std::function<void()> gone) override;

private:
  message request_; ///< its target is the path alone
  std::string query_;
  bool streams_;
  std::string peer_;
  std::weak_ptr<server_connection> connection_;
  std::shared_ptr<exchange_state> state_;
  std::shared_ptr<server_inbox> inbox_;
};

} // namespace rolecall::net
