#pragma once

#include "net/http.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>

#include <memory>
#include <optional>

namespace rolecall::net {

/// What an exchange on a connection gave.
struct exchange_result {
  http_result result;
  bool reusable{false}; ///< the connection may carry another exchange
  bool silent{false};   ///< it failed, and not a byte of a response had arrived
};

/// One TCP or TLS connection of the client. All members are to be used on the loop's thread;
/// `abort` makes whatever is under way fail soon.
class http_connection {
public:
  http_connection(boost::asio::io_context& context, boost::asio::ssl::context& tls);

  /// Looks the host up, connects to its addresses in turn, shakes hands. None if that succeeded.
  boost::asio::awaitable<std::optional<http_failure>> connect(const url& to);

  /// Sends a request and reads its response.
  boost::asio::awaitable<exchange_result> exchange(const http_request& request, const url& to,
                                                   std::string_view user_agent,
                                                   std::size_t max_head_bytes);

  /// Watches the connection while it is idle: `ended` is called once if the server closes it or
  /// says something unasked, or if it has been idle for too long; not after `stop_watching`.
  void watch(std::chrono::milliseconds idle_timeout, std::function<void()> ended);
  void stop_watching();

  void abort();

private:
  template <class Stream>
  boost::asio::awaitable<exchange_result> talk(Stream& stream, const http_request& request,
                                               const url& to, std::string_view head,
                                               std::size_t max_head_bytes);

  boost::asio::ip::tcp::resolver resolver_;
  boost::asio::ssl::stream<boost::asio::ip::tcp::socket> stream_; // the inner one alone without TLS
  boost::asio::steady_timer idle_timer_;
  boost::beast::flat_buffer buffer_;
  std::shared_ptr<std::function<void()>> watcher_;
  bool tls_{false};
  bool aborted_{false};
};

/// What cannot be sent as it is: a header or a method with characters that would end it early.
std::optional<std::string> unsendable(const http_request& request);

} // namespace rolecall::net
