#include "net/frame_dial.hpp"

#include "net/address.hpp"
#include "net/connector.hpp"
#include "net/durations.hpp"
#include "net/frame_handshake.hpp"
#include "net/on_loop.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <utility>

namespace rolecall::net {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;

/// Belongs to the loop's thread once it has been started.
class frame_dial::impl : public std::enable_shared_from_this<impl> {
public:
  impl(asio::io_context& context, frame_dial_options options, handler done)
      : context_{context},
        options_{std::move(options)},
        where_{host_and_port(options_.host, options_.port)},
        deadline_{std::chrono::steady_clock::now() + bounded(options_.timeout)},
        done_{std::move(done)},
        timer_{context} {}

  void start() {
    asio::post(context_, [self = shared_from_this()] { self->connect(); });
  }

  void shut() {
    run_on_loop(context_, [this] { cancel(); });
  }

private:
  void connect();
  void on_connected(boost::system::error_code error, tcp::socket socket);
  void cancel();
  void finish(std::shared_ptr<frame_stream> stream, std::string reason);

  asio::io_context& context_;
  const frame_dial_options options_;
  const std::string where_;
  const std::chrono::steady_clock::time_point deadline_;
  handler done_;                         ///< empty once it has been called, or by `cancel`
  std::shared_ptr<connector> connector_; ///< while look-up and connect are under way
  asio::steady_timer timer_;             ///< for the look-up, which the connector does not bound
  std::shared_ptr<frame_handshake> handshake_;
};

void frame_dial::impl::connect() {
  if (!done_)
    return;
  connector_ = std::make_shared<connector>(context_, deadline_);
  connector_->start(options_.host, options_.port,
                    [self = shared_from_this()](auto error, tcp::socket socket) {
                      self->on_connected(error, std::move(socket));
                    });
  timer_.expires_at(deadline_);
  timer_.async_wait([self = shared_from_this()](auto error) {
    if (error || !self->connector_)
      return;
    self->connector_->cancel();
    self->on_connected(asio::error::timed_out, tcp::socket{self->context_});
  });
}

void frame_dial::impl::on_connected(boost::system::error_code error, tcp::socket socket) {
  connector_ = nullptr;
  timer_.cancel();
  if (error)
    return finish(nullptr, "cannot connect to " + where_ + ": " + error.message());
  handshake_ = std::make_shared<frame_handshake>(std::move(socket), asio::ssl::stream_base::client,
                                                 options_.frames);
  handshake_->start(
      options_.tls, deadline_,
      [self = shared_from_this()](std::shared_ptr<frame_stream> stream, std::string reason) {
        if (!stream)
          reason = "no TLS with " + self->where_ + ": " + reason;
        self->finish(std::move(stream), std::move(reason));
      });
}

void frame_dial::impl::cancel() {
  done_ = nullptr;
  timer_.cancel();
  if (connector_)
    connector_->cancel();
  if (handshake_)
    handshake_->cancel();
}

void frame_dial::impl::finish(std::shared_ptr<frame_stream> stream, std::string reason) {
  handshake_ = nullptr;
  if (auto done = std::exchange(done_, nullptr))
    done(std::move(stream), std::move(reason));
}

frame_dial::frame_dial(asio::io_context& context, frame_dial_options options, handler done)
    : impl_{std::make_shared<impl>(context, std::move(options), std::move(done))} {
  impl_->start();
}

frame_dial::~frame_dial() {
  impl_->shut();
}

} // namespace rolecall::net
