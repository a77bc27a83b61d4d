#pragma once

#include "net/tls.hpp"

#include <boost/asio/write.hpp>

#include <optional>
#include <utility>

namespace rolecall::net {

/// A connected socket, with TLS over it or without. Used on the loop's thread only.
class peer_socket {
public:
  /// `tls` is null for plain TCP. Its settings are kept as long as the socket needs them.
  peer_socket(boost::asio::ip::tcp::socket socket, boost::asio::ssl::context* tls)
      : socket_{std::move(socket)} {
    if (tls)
      tls_.emplace(socket_, *tls);
  }
  peer_socket(const peer_socket&) = delete;
  peer_socket& operator=(const peer_socket&) = delete;

  boost::asio::ip::tcp::socket& tcp() noexcept { return socket_; }
  /// Null if it is plain.
  tls_stream* tls() noexcept { return tls_ ? &*tls_ : nullptr; }

  /// Only if it is encrypted.
  template <class Handler>
  void handshake(boost::asio::ssl::stream_base::handshake_type side, Handler&& done) {
    tls_->async_handshake(side, std::forward<Handler>(done));
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

  /// Nothing more will be sent. There is no close_notify over TLS: a read is pending, and what is
  /// sent says itself where it ends.
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
