#include "net/http_server.hpp"

#include "net/http_session.hpp"

#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/system/system_error.hpp>

#include <set>

namespace rolecall::net {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

/// Everything but `port` is touched on the loop's thread only.
class http_server::impl : public session_owner, public std::enable_shared_from_this<impl> {
public:
  impl(asio::io_context& context, http_server_options options, handler handle)
      : context_{context},
        options_{std::move(options)},
        handle_{std::move(handle)},
        acceptor_{context},
        accept_pause_{context},
        patience_{context} {
    tcp::endpoint at{asio::ip::make_address(options_.address), options_.port};
    try {
      acceptor_.open(at.protocol());
      acceptor_.set_option(tcp::acceptor::reuse_address{true});
      acceptor_.bind(at);
      acceptor_.listen();
      port_ = acceptor_.local_endpoint().port();
    } catch (const boost::system::system_error& error) {
      throw boost::system::system_error{error.code(), "cannot listen on " + options_.address + ":" +
                                                          std::to_string(options_.port)};
    }
  }

  void start() {
    asio::post(context_, [self = shared_from_this()] { self->accept(); });
  }

  std::uint16_t port() const noexcept { return port_; }

  void close(std::chrono::milliseconds patience, std::function<void()> closed) {
    asio::dispatch(context_, [self = shared_from_this(), patience, closed = std::move(closed)] {
      self->begin_close(patience, closed);
    });
  }

  // -- session_owner -----------------------------------------------------------------------------
  const http_server_options& options() const override { return options_; }
  bool closing() const override { return closing_; }
  void handle(std::shared_ptr<http_exchange> exchange) override { handle_(std::move(exchange)); }
  void ended(const std::shared_ptr<http_session>& session) override {
    sessions_.erase(session);
    tell_if_closed();
  }

private:
  void accept() {
    if (closing_)
      return;
    acceptor_.async_accept(
        [self = shared_from_this()](const error_code& error, tcp::socket socket) {
          self->on_accept(error, std::move(socket));
        });
  }

  void on_accept(const error_code& error, tcp::socket socket) {
    if (closing_)
      return;
    if (error) {
      // Out of file descriptors, most likely: try again when some may have come free.
      accept_pause_.expires_after(std::chrono::milliseconds{50});
      accept_pause_.async_wait([self = shared_from_this()](const error_code& canceled) {
        if (!canceled)
          self->accept();
      });
      return;
    }
    if (sessions_.size() < options_.max_connections) {
      auto session = std::make_shared<http_session>(std::move(socket), shared_from_this());
      sessions_.insert(session);
      session->start();
    }
    accept();
  }

  void begin_close(std::chrono::milliseconds patience, const std::function<void()>& closed) {
    if (closed)
      on_closed_.push_back(closed);
    closing_ = true;
    error_code ignored;
    acceptor_.close(ignored);
    accept_pause_.cancel();
    auto all = sessions_; // ending changes the set
    for (const auto& session : all)
      session->close_when_idle();
    patience_.expires_after(patience);
    patience_.async_wait([self = shared_from_this()](const error_code& canceled) {
      if (canceled)
        return;
      auto left = self->sessions_;
      for (const auto& session : left)
        session->abort();
    });
    tell_if_closed();
  }

  void tell_if_closed() {
    if (!closing_ || !sessions_.empty())
      return;
    patience_.cancel();
    for (auto& closed : std::exchange(on_closed_, {}))
      asio::post(context_, std::move(closed));
  }

  asio::io_context& context_;
  http_server_options options_;
  handler handle_;
  tcp::acceptor acceptor_;
  asio::steady_timer accept_pause_;
  asio::steady_timer patience_;
  std::uint16_t port_{0};
  bool closing_{false};
  std::set<std::shared_ptr<http_session>> sessions_;
  std::vector<std::function<void()>> on_closed_;
};

http_server::http_server(asio::io_context& context, http_server_options options, handler handle)
    : impl_{std::make_shared<impl>(context, std::move(options), std::move(handle))} {
  impl_->start();
}

http_server::~http_server() {
  impl_->close(std::chrono::milliseconds{0}, nullptr);
}

std::uint16_t http_server::port() const noexcept {
  return impl_->port();
}

void http_server::close(std::chrono::milliseconds patience, std::function<void()> closed) {
  impl_->close(patience, std::move(closed));
}

} // namespace rolecall::net
