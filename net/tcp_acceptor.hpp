#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace rolecall::net {

/// Listens on one address, and hands over the connections that come. After an error (no file
/// descriptors left, most likely) it pauses for a moment.
///
/// But for the constructors and `port`, used on the loop's thread only.
class tcp_acceptor : public std::enable_shared_from_this<tcp_acceptor> {
public:
  using tcp = boost::asio::ip::tcp;

  /// Binds and listens; port 0 is any free one. Throws `boost::system::system_error` that names the
  /// address if it cannot.
  tcp_acceptor(boost::asio::io_context& context, const std::string& address, std::uint16_t port);
  /// Takes its share of the connections that another one listens for, on another loop. Throws
  /// likewise.
  tcp_acceptor(boost::asio::io_context& context, const tcp_acceptor& other);

  /// The port that is really listened on.
  std::uint16_t port() const noexcept { return port_; }

  /// `accepted` gets each connection until `close`, and may call that. With TCP_NODELAY.
  void start(std::function<void(tcp::socket)> accepted);

  void close();

private:
  void accept();
  void on_accept(boost::system::error_code error, tcp::socket socket);

  mutable tcp::acceptor acceptor_; // its descriptor is asked for
  const std::uint16_t port_;
  boost::asio::steady_timer pause_;
  std::function<void(tcp::socket)> accepted_;
};

} // namespace rolecall::net
