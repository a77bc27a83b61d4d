#include "net/frame_listener.hpp"

#include "net/address.hpp"
#include "net/durations.hpp"
#include "net/frame_handshake.hpp"
#include "net/on_loop.hpp"
#include "net/tcp_acceptor.hpp"

#include <boost/asio/post.hpp>

#include <set>
#include <utility>

namespace rolecall::net {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;

namespace {

constexpr auto server_side = asio::ssl::stream_base::server;

} // namespace

/// Belongs to the loop's thread once it has been started.
class frame_listener::impl : public std::enable_shared_from_this<impl> {
public:
  impl(asio::io_context& context, frame_listener_options options, stream_handler on_stream,
       refusal_handler on_refused)
      : context_{context},
        options_{std::move(options)},
        on_stream_{std::move(on_stream)},
        on_refused_{std::move(on_refused)},
        acceptor_{std::make_shared<tcp_acceptor>(context, options_.address, options_.port)} {
    if (options_.tls)
      make_link_context(*options_.tls, server_side);
  }

  void start() {
    asio::post(context_, [self = shared_from_this()] {
      self->acceptor_->start([weak = self->weak_from_this()](tcp::socket socket) {
        if (auto self = weak.lock())
          self->on_accept(std::move(socket));
      });
    });
  }

  std::uint16_t port() const noexcept { return acceptor_->port(); }

  void shut() {
    run_on_loop(context_, [this] { end(); });
  }

private:
  using handshake_ptr = std::shared_ptr<frame_handshake>;

  void on_accept(tcp::socket socket);
  void on_done(const handshake_ptr& handshake, const std::string& remote,
               std::shared_ptr<frame_stream> stream, std::string reason);
  void end();

  asio::io_context& context_;
  const frame_listener_options options_;
  stream_handler on_stream_;
  refusal_handler on_refused_;
  std::shared_ptr<tcp_acceptor> acceptor_;
  std::set<handshake_ptr> handshakes_; ///< that are under way
};

void frame_listener::impl::on_accept(tcp::socket socket) {
  boost::system::error_code gone;
  auto peer = socket.remote_endpoint(gone);
  if (gone)
    return;
  auto remote = host_and_port(peer.address().to_string(), peer.port());
  if (handshakes_.size() >= options_.max_handshakes)
    return on_refused_(remote, "too many connections are in their handshake");
  auto handshake =
      std::make_shared<frame_handshake>(std::move(socket), server_side, options_.frames);
  handshakes_.insert(handshake);
  auto deadline = std::chrono::steady_clock::now() + bounded(options_.handshake_timeout);
  handshake->start(options_.tls, deadline,
                   [weak = weak_from_this(), key = std::weak_ptr{handshake},
                    remote](std::shared_ptr<frame_stream> stream, std::string reason) {
                     if (auto self = weak.lock())
                       self->on_done(key.lock(), remote, std::move(stream), std::move(reason));
                   });
}

void frame_listener::impl::on_done(const handshake_ptr& handshake, const std::string& remote,
                                   std::shared_ptr<frame_stream> stream, std::string reason) {
  handshakes_.erase(handshake);
  if (stream)
    on_stream_(std::move(stream));
  else
    on_refused_(remote, std::move(reason));
}

void frame_listener::impl::end() {
  acceptor_->close();
  for (const auto& handshake : std::exchange(handshakes_, {}))
    handshake->cancel();
}

frame_listener::frame_listener(asio::io_context& context, frame_listener_options options,
                               stream_handler on_stream, refusal_handler on_refused)
    : impl_{std::make_shared<impl>(context, std::move(options), std::move(on_stream),
                                   std::move(on_refused))} {
  impl_->start();
}

frame_listener::~frame_listener() {
  impl_->shut();
}

std::uint16_t frame_listener::port() const noexcept {
  return impl_->port();
}

} // namespace rolecall::net
