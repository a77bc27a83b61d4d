#include "net/http_server.hpp"

#include "net/durations.hpp"
#include "net/on_loop.hpp"
#include "net/server_connection.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/asio/post.hpp>

#include <unordered_map>
#include <utility>
#include <vector>

namespace rolecall::net {

namespace asio = boost::asio;
using std::chrono::steady_clock;
using tcp = asio::ip::tcp;

namespace {

/// After a failed accept (no file descriptors left, most likely).
constexpr std::chrono::milliseconds accept_pause{100};

tcp::acceptor listen(asio::io_context& context, const http_server_options& options) {
  try {
    tcp::endpoint endpoint{asio::ip::make_address(options.address), options.port};
    return tcp::acceptor{context, endpoint};
  } catch (const boost::system::system_error& failure) {
    throw boost::system::system_error{failure.code(), "cannot listen on " + options.address + ":" +
                                                          std::to_string(options.port)};
  }
}

} // namespace

/// Belongs to the loop's thread once it has been started.
class http_server::impl : public std::enable_shared_from_this<impl> {
public:
  impl(asio::io_context& context, http_server_options options, handler handle)
      : context_{context},
        acceptor_{listen(context, options)},
        port_{acceptor_.local_endpoint().port()},
        pause_{context},
        patience_{context},
        host_{std::make_shared<connection_host>()} {
    host_->options = std::move(options);
    host_->handle = std::make_shared<handler>(std::move(handle));
    host_->inbox = std::make_shared<server_inbox>(context, &impl::deliver);
  }

  void start() {
    host_->ended = [weak = weak_from_this()](server_connection& connection) {
      if (auto self = weak.lock())
        self->on_ended(connection);
    };
    asio::post(context_, [self = shared_from_this()] { self->accept(); });
  }

  std::uint16_t port() const noexcept { return port_; }

  void post_close(std::chrono::milliseconds patience, std::function<void()> closed) {
    asio::post(context_,
               [self = shared_from_this(), patience, closed = std::move(closed)]() mutable {
                 self->close(patience, std::move(closed));
               });
  }

  /// For the destructor: after it, nothing calls the handler or touches the loop.
  void shut() {
    run_on_loop(context_, [this] { end(); });
  }

private:
  void close(std::chrono::milliseconds patience, std::function<void()> closed);
  void end();
  static void deliver(std::variant<answer, disconnect_watch> item);
  void accept();
  void on_accept(boost::system::error_code error, tcp::socket socket);
  void on_ended(server_connection& connection);
  void close_all();
  void report_if_closed();

  asio::io_context& context_;
  tcp::acceptor acceptor_;
  const std::uint16_t port_;
  asio::steady_timer pause_;    ///< of accepting
  asio::steady_timer patience_; ///< of a graceful close
  std::shared_ptr<connection_host> host_;
  bool closing_{false};
  std::vector<std::function<void()>> closed_; ///< callbacks of `close` that have not been called
  std::unordered_map<server_connection*, std::shared_ptr<server_connection>> connections_;
};

void http_server::impl::deliver(std::variant<answer, disconnect_watch> item) {
  if (auto* found = std::get_if<answer>(&item)) {
    if (auto connection = found->connection.lock())
      connection->respond(std::move(found->response));
    return;
  }
  auto& watch = std::get<disconnect_watch>(item);
  if (watch.state->answered)
    return;
  watch.state->on_gone = std::move(watch.gone);
  if (watch.state->gone)
    watch.state->disconnect();
}

void http_server::impl::accept() {
  if (closing_)
    return;
  acceptor_.async_accept([weak = weak_from_this()](auto error, tcp::socket socket) {
    if (auto self = weak.lock())
      self->on_accept(error, std::move(socket));
  });
}

void http_server::impl::on_accept(boost::system::error_code error, tcp::socket socket) {
  if (closing_)
    return;
  if (error && error != asio::error::connection_aborted) {
    pause_.expires_after(accept_pause);
    pause_.async_wait([weak = weak_from_this()](auto) {
      if (auto self = weak.lock())
        self->accept();
    });
    return;
  }
  if (!error && connections_.size() < host_->options.max_connections) {
    auto connection = std::make_shared<server_connection>(std::move(socket), host_);
    connections_.emplace(connection.get(), connection);
    connection->start();
  } else {
    socket.close(error);
  }
  accept();
}

void http_server::impl::on_ended(server_connection& connection) {
  connections_.erase(&connection);
  report_if_closed();
}

void http_server::impl::close(std::chrono::milliseconds patience, std::function<void()> closed) {
  if (closed)
    closed_.push_back(std::move(closed));
  auto limit = steady_clock::now() + bounded(patience);
  if (!closing_ || limit < patience_.expiry()) {
    patience_.expires_at(limit);
    patience_.async_wait([weak = weak_from_this()](auto error) {
      auto self = weak.lock();
      if (!error && self)
        self->close_all();
    });
  }
  if (!closing_) {
    closing_ = true;
    pause_.cancel();
    boost::system::error_code ignored;
    acceptor_.close(ignored);
    // A copy: those that are idle end at once, and leave the map.
    for (auto& [key, connection] : std::unordered_map{connections_})
      connection->drain();
  }
  report_if_closed();
}

void http_server::impl::close_all() {
  for (auto& [key, connection] : std::unordered_map{connections_})
    connection->close();
}

void http_server::impl::report_if_closed() {
  if (!closing_ || !connections_.empty())
    return;
  patience_.cancel();
  for (auto& closed : std::exchange(closed_, {}))
    closed();
}

void http_server::impl::end() {
  close(std::chrono::milliseconds{0}, nullptr);
  close_all();
  for (auto& item : host_->inbox->close())
    deliver(std::move(item));
  host_->handle = nullptr;
  host_->ended = nullptr;
}

http_server::http_server(asio::io_context& context, http_server_options options, handler handle)
    : impl_{std::make_shared<impl>(context, std::move(options), std::move(handle))} {
  impl_->start();
}

http_server::~http_server() {
  impl_->shut();
}

std::uint16_t http_server::port() const noexcept {
  return impl_->port();
}

void http_server::close(std::chrono::milliseconds patience, std::function<void()> closed) {
  impl_->post_close(patience, std::move(closed));
}

} // namespace rolecall::net
