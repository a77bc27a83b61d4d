#pragma once

#include "net/tls.hpp"

#include <boost/asio/write.hpp>

#include <optional>
#include <utility>

namespace rolecall::net {

/// A client's socket, with TLS over it or without. Used on the loop's thread only.
class server_socket {
public:
  /// `tls` is null for plain TCP, and outlives the socket.
  server_socket(boost::asio::ip::tcp::socket socket, boost::asio::ssl::context* tls)
      : socket_{std::move(socket)} {
    if (tls)
      tls_.emplace(socket_, *tls);
  }
  server_socket(const server_socket&) = delete;
  server_socket& operator=(const server_socket&) = delete;

  boost::asio::ip::tcp::socket& tcp() noexcept { return socket_; }
  bool is_encrypted() const noexcept { return tls_.has_value(); }

  /// Only if it is encrypted.
  template <class Handler>
  void handshake(Handler&& done) {
    tls_->async_handshake(boost::asio::ssl::stream_base::server, std::forward<Handler>(done));
  }

  template <class Buffers, class Handler>
  void read_some(const Buffers& buffers, Handler&& done) {
    if (tls_)
      tls_->async_read_some(buffers, std::forward<Handler>(done));
    else
      socket_.async_read_some(buffers, std::forward<Handler>(done));
  }

  template <class Buffers, class Handler>
  void write(const Buffers& buffers, Handler&& done) {
    if (tls_)
      boost::asio::async_write(*tls_, buffers, std::forward<Handler>(done));
    else
      boost::asio::async_write(socket_, buffers, std::forward<Handler>(done));
  }

  /// Nothing more will be sent. There is no close_notify over TLS: a read is pending, and the
  /// responses say themselves where they end.
  void finish_sending() {
    boost::system::error_code ignored;
    socket_.shutdown(boost::asio::ip::tcp::socket::shutdown_send, ignored);
  }

  void close() {
    boost::system::error_code ignored;
    socket_.close(ignored);
  }

private:
  boost::asio::ip::tcp::socket socket_;
  std::optional<tls_stream> tls_;
};

} // namespace rolecall::net
