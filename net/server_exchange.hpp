#pragma once

#include "net/http_server.hpp"
#include "net/inbox.hpp"
#include "net/message_parser.hpp"

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <variant>

namespace rolecall::net {

class server_connection;

/// What the connection and the exchange both know of how it ends.
struct exchange_state {
  std::atomic<bool> answered{false}; ///< set by `respond`, from any thread
  bool gone{false};                  ///< this and `on_gone` belong to the loop's thread
  std::function<void()> on_gone;

  /// The client is gone, or the server shuts down. Calls `on_gone`, once, unless there is an
  /// answer. On the loop's thread.
  void disconnect();
};

/// A response on its way to the connection it is for.
struct answer {
  std::weak_ptr<server_connection> connection;
  http_response response;
};

/// A callback on its way to the exchange's state.
struct disconnect_watch {
  std::shared_ptr<exchange_state> state;
  std::function<void()> gone;
};

using server_inbox = inbox<std::variant<answer, disconnect_watch>>;

/// The exchange that handlers see. It reaches its connection through the server's inbox only, so it
/// may be used on any thread, and may outlive the connection, the server and the loop.
class server_exchange final : public http_exchange {
public:
  server_exchange(message request, std::weak_ptr<server_connection> connection,
                  std::shared_ptr<exchange_state> state, std::shared_ptr<server_inbox> inbox);
  ~server_exchange() override; ///< sends 500 if there was no response

  const std::string& method() const override { return request_.method; }
  const std::string& path() const override { return request_.target; }
  const std::string& query() const override { return query_; }
  const net::headers& headers() const override { return request_.headers; }
  const std::string& body() const override { return request_.body; }

  void respond(http_response response) override;
  void on_disconnect(std::function<void()> gone) override;

private:
  message request_; ///< its target is the path alone
  std::string query_;
  std::weak_ptr<server_connection> connection_;
  std::shared_ptr<exchange_state> state_;
  std::shared_ptr<server_inbox> inbox_;
};

} // namespace rolecall::net
