#include "net/tcp_acceptor.hpp"

#include "net/address.hpp"

#include <boost/asio/ip/address.hpp>

#include <fcntl.h>

#include <cerrno>
#include <chrono>

namespace rolecall::net {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;

namespace {

/// After a failed accept.
constexpr std::chrono::milliseconds accept_pause{100};

tcp::acceptor listen(asio::io_context& context, const std::string& address, std::uint16_t port) {
  try {
    return tcp::acceptor{context, tcp::endpoint{asio::ip::make_address(address), port}};
  } catch (const boost::system::system_error& failure) {
    throw boost::system::system_error{failure.code(),
                                      "cannot listen on " + host_and_port(address, port)};
  }
}

/// The same socket under another descriptor: whoever is free first takes a connection from it.
int duplicate(tcp::acceptor& of) {
  auto result = ::fcntl(of.native_handle(), F_DUPFD_CLOEXEC, 0);
  if (result < 0)
    throw boost::system::system_error{errno, boost::system::system_category(),
                                      "cannot listen on a second thread"};
  return result;
}

} // namespace

tcp_acceptor::tcp_acceptor(asio::io_context& context, const std::string& address,
                           std::uint16_t port)
    : acceptor_{listen(context, address, port)},
      port_{acceptor_.local_endpoint().port()},
      pause_{context} {}

tcp_acceptor::tcp_acceptor(asio::io_context& context, const tcp_acceptor& other)
    : acceptor_{context, other.acceptor_.local_endpoint().protocol(), duplicate(other.acceptor_)},
      port_{other.port_},
      pause_{context} {}

void tcp_acceptor::start(std::function<void(tcp::socket)> accepted) {
  accepted_ = std::move(accepted);
  accept();
}

void tcp_acceptor::close() {
  pause_.cancel();
  boost::system::error_code ignored;
  acceptor_.close(ignored);
}

void tcp_acceptor::accept() {
  if (!acceptor_.is_open())
    return;
  acceptor_.async_accept([self = shared_from_this()](auto error, tcp::socket socket) {
    self->on_accept(error, std::move(socket));
  });
}

void tcp_acceptor::on_accept(boost::system::error_code error, tcp::socket socket) {
  if (!acceptor_.is_open())
    return;
  if (error && error != asio::error::connection_aborted) {
    pause_.expires_after(accept_pause);
    pause_.async_wait([self = shared_from_this()](auto) { self->accept(); });
    return;
  }
  if (!error) {
    socket.set_option(tcp::no_delay{true}, error);
    accepted_(std::move(socket));
  }
  accept();
}

} // namespace rolecall::net
