#include "net/frame_handshake.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace rolecall::net {

namespace asio = boost::asio;
using std::chrono::steady_clock;

namespace {

/// After a handshake that failed: for the peer to read why before a reset can overtake it.
constexpr std::chrono::milliseconds linger_timeout{1'000};

} // namespace

frame_handshake::frame_handshake(tcp::socket socket, side_type side, const frame_options& options)
    : side_{side}, options_{options}, tcp_{std::move(socket)}, timer_{tcp_.get_executor()} {}

void frame_handshake::start(const std::optional<link_tls>& tls, steady_clock::time_point deadline,
                            handler done) {
  done_ = std::move(done);
  if (tls)
    return encrypt(*tls, deadline);
  socket_ = std::make_unique<peer_socket>(std::move(tcp_), nullptr);
  post_finish({});
}

/// The files are read anew for each connection: renewed ones count from the next link on.
void frame_handshake::encrypt(const link_tls& tls, steady_clock::time_point deadline) {
  try {
    auto settings = make_link_context(tls, side_);
    socket_ = std::make_unique<peer_socket>(std::move(tcp_), &settings);
  } catch (const std::runtime_error& failure) {
    return post_finish(failure.what());
  }
  await(deadline);
  socket_->handshake(side_, [self = shared_from_this()](auto error) { self->on_handshake(error); });
}

void frame_handshake::await(steady_clock::time_point deadline) {
  timer_.expires_at(deadline);
  timer_.async_wait([self = shared_from_this()](auto error) {
    if (!error)
      self->finish(self->failure_.empty() ? "the TLS handshake took too long" : self->failure_);
  });
}

void frame_handshake::on_handshake(boost::system::error_code error) {
  if (!done_)
    return;
  if (!error)
    return finish({});
  failure_ = link_failure(*socket_->tls(), error);
  socket_->finish_sending();
  await(std::min(timer_.expiry(), steady_clock::now() + linger_timeout));
  throw_away_input();
}

void frame_handshake::throw_away_input() {
  socket_->tcp().async_read_some(asio::buffer(input_),
                                 [self = shared_from_this()](auto error, std::size_t) {
                                   if (!self->done_)
                                     return;
                                   if (error)
                                     return self->finish(self->failure_);
                                   self->throw_away_input();
                                 });
}

void frame_handshake::cancel() {
  done_ = nullptr;
  timer_.cancel();
  if (socket_)
    socket_->close();
}

void frame_handshake::post_finish(std::string reason) {
  asio::post(timer_.get_executor(),
             [self = shared_from_this(), reason = std::move(reason)] { self->finish(reason); });
}

/// With no reason if all is well.
void frame_handshake::finish(std::string reason) {
  auto done = std::exchange(done_, nullptr);
  if (!done)
    return;
  timer_.cancel();
  std::shared_ptr<frame_stream> stream;
  if (reason.empty())
    stream = std::make_shared<frame_stream>(std::move(socket_), options_);
  else if (socket_)
    socket_->close();
  done(std::move(stream), std::move(reason));
}

} // namespace rolecall::net
