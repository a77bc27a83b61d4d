#pragma once

#include "net/connector.hpp"
#include "net/http.hpp"
#include "net/message_parser.hpp"
#include "net/tls.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace rolecall::net {

/// How one request and its response on a connection ended.
struct exchange_outcome {
  http_result result;
  bool answer_began{false}; ///< whether a byte of the answer had arrived
  bool reusable{false};     ///< whether the connection can carry another request
};

/// One connection to an origin, over TCP or TLS: opened, then used for one exchange after the
/// other.
///
/// Used on the loop's thread only. No function calls its handler before it returns.
class client_connection : public std::enable_shared_from_this<client_connection> {
public:
  /// `tls` is used if the scheme of `target` is "https", which fails without it; it outlives the
  /// connection.
  client_connection(boost::asio::io_context& context, boost::asio::ssl::context* tls,
                    const url& target, std::size_t max_head_bytes);

  /// Look-up, TCP and TLS, in `timeout` together. `done` gets what failed, or nothing.
  void open(std::chrono::milliseconds timeout,
            std::function<void(std::optional<http_failure>)> done);

  /// Sends `head` and the body of `request`, and reads the response. Not during another exchange.
  /// The first byte of the answer is timed from `started`.
  void exchange(std::string head, const http_request& request,
                std::chrono::steady_clock::time_point started,
                std::function<void(exchange_outcome)> done);

  /// During an exchange: takes out what has come of the response, for one that is about to be cut
  /// off.
  http_response take_partial();

  /// Between exchanges: calls `dead` if the peer closes the connection or says something unasked.
  void watch(std::function<void()> dead);

  /// Between exchanges: whether the connection looks fit for another one, by a look at the socket.
  bool usable();

  /// Closes the socket, from any state. No handler is called any more.
  void close();

  bool used() const noexcept { return exchanges_ > 1; } ///< for more exchanges than the present one

private:
  using tcp = boost::asio::ip::tcp;

  void on_connected(boost::system::error_code error, tcp::socket socket);
  void on_handshake(boost::system::error_code error);
  void finish_open(std::optional<http_failure> failure);
  void write();
  void read();
  void on_read(boost::system::error_code error, std::size_t count);
  void on_lost(boost::system::error_code error);
  void start_parser();
  void parse();
  bool deliver();
  void on_message();
  void fail_too_large();
  void fail(http_errc code, std::string message);
  void finish(http_result result, bool reusable);

  boost::asio::io_context& context_;
  boost::asio::ssl::context* tls_context_;
  const url target_;
  const std::string where_; ///< host:port, for messages
  const std::size_t max_head_;

  std::shared_ptr<connector> connector_; ///< while look-up and connect are under way
  boost::asio::steady_timer open_timer_;
  std::chrono::milliseconds open_timeout_{};
  std::function<void(std::optional<http_failure>)> opened_; ///< empty unless `open` is under way

  tcp::socket socket_;
  std::optional<tls_stream> tls_; ///< over `socket_`, for "https"

  std::function<void(exchange_outcome)> done_; ///< empty unless an exchange is under way
  std::function<void()> dead_;                 ///< empty unless the connection is watched
  std::uint64_t exchanges_{0}; ///< tells a watch that it is from before the present exchange
  std::string head_;           ///< of the request, while it is written, as is body_
  std::shared_ptr<const std::string> body_;
  bool head_request_{false};
  bool writing_{false};
  bool answer_began_{false};
  std::chrono::steady_clock::time_point started_{};
  std::chrono::microseconds first_byte_{0}; ///< from `started_`; 0: none has come
  std::size_t max_body_{0};
  std::function<void(std::string_view)> on_data_; ///< empty: the body is collected
  std::optional<message_parser> parser_;
  boost::beast::flat_buffer buffer_; ///< what was read and not yet parsed: at most a head
};

} // namespace rolecall::net
