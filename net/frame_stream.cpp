#include "net/frame_stream.hpp"

#include "net/address.hpp"
#include "net/durations.hpp"
#include "net/link_tls.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/error.hpp>

#include <algorithm>
#include <utility>

namespace rolecall::net {

namespace asio = boost::asio;

namespace {

constexpr std::size_t read_bytes = 64u << 10;
/// What a queue may keep allocated when it is empty.
constexpr std::size_t idle_queue_bytes = 256u << 10;

bool is_end(const boost::system::error_code& error) {
  return error == asio::error::eof || error == asio::ssl::error::stream_truncated;
}

/// What the head of a frame looks like if it is the head of a TLS record: a handshake or an alert.
bool looks_like_tls(std::uint32_t announced) {
  return announced >> 16 == 0x1603 || announced >> 16 == 0x1503;
}

} // namespace

frame_stream::frame_stream(std::unique_ptr<peer_socket> socket, const frame_options& options)
    : options_{options},
      socket_{std::move(socket)},
      max_frame_bytes_{options.max_frame_bytes},
      patience_{socket_->tcp().get_executor()} {
  boost::system::error_code error;
  if (auto remote = socket_->tcp().remote_endpoint(error); !error)
    remote_ = host_and_port(remote.address().to_string(), remote.port());
  if (auto* tls = socket_->tls())
    names_ = net::certificate_names(*tls);
}

void frame_stream::start(frame_handler on_frame, close_handler on_close) {
  if (closed_) {
    asio::post(socket_->tcp().get_executor(),
               [reason = reason_, told = std::move(on_close)] { told(reason); });
    return;
  }
  on_frame_ = std::move(on_frame);
  on_close_ = std::move(on_close);
  read();
}

void frame_stream::send(std::string_view content) {
  std::lock_guard guard{mutex_};
  if (sealed_)
    return;
  auto size = queue_.size() + in_flight_ + frame_head_bytes + content.size();
  if (size > options_.max_queued_bytes) {
    sealed_ = true;
    asio::post(socket_->tcp().get_executor(), [self = shared_from_this(), size] {
      self->finish("the peer is too slow: " + std::to_string(size) +
                   " bytes wait to be sent to it, over the limit of " +
                   std::to_string(self->options_.max_queued_bytes));
    });
    return;
  }
  append_frame(queue_, content);
  if (!std::exchange(writing_, true))
    asio::post(socket_->tcp().get_executor(), [self = shared_from_this()] { self->write(); });
}

void frame_stream::consumed(std::size_t bytes, std::size_t frames) {
  std::lock_guard guard{mutex_};
  unread_ -= std::min(unread_, bytes + frames * unread_cost_of_frame);
  if (!paused_ || unread_ > options_.max_unread_bytes)
    return;
  paused_ = false;
  asio::post(socket_->tcp().get_executor(), [self = shared_from_this()] { self->deliver(); });
}

void frame_stream::close() {
  std::lock_guard guard{mutex_};
  sealed_ = true;
  asio::post(socket_->tcp().get_executor(), [self = shared_from_this()] { self->begin_close(); });
}

std::size_t frame_stream::queued_bytes() const {
  std::lock_guard guard{mutex_};
  return queue_.size() + in_flight_;
}

void frame_stream::read() {
  if (reading_ || closed_)
    return;
  reading_ = true;
  buffer_.resize(read_bytes);
  socket_->read_some(
      asio::buffer(buffer_),
      [self = shared_from_this()](auto error, std::size_t count) { self->on_read(error, count); });
}

void frame_stream::on_read(boost::system::error_code error, std::size_t count) {
  reading_ = false;
  if (closed_)
    return;
  if (error)
    return closing_ ? finish({}) : on_lost(error);
  if (closing_)
    return read();
  received_ += count;
  unparsed_ = {buffer_.data(), count};
  deliver();
}

void frame_stream::on_lost(boost::system::error_code error) {
  if (!is_end(error))
    return finish("the connection was lost: " + (error.category() == asio::error::get_ssl_category()
                                                     ? link_failure(*socket_->tls(), error)
                                                     : error.message()));
  if (received_ == 0 && !socket_->tls())
    return finish("the peer closed the connection without a word: perhaps it speaks TLS");
  finish(parser_.inside() ? "the peer closed the connection in the middle of a frame"
                          : "the peer closed the connection");
}

/// Hands over the frames that have been read, and then reads on; until too much is unread.
void frame_stream::deliver() {
  using progress = frame_parser::progress;
  if (reading_ || closed_)
    return;
  while (!halted()) {
    if (unparsed_.empty())
      return read();
    auto result = parser_.feed(unparsed_, max_frame_bytes_);
    if (result == progress::too_large)
      return finish(too_large());
    if (result == progress::need_more)
      continue;
    auto content = parser_.take();
    count_unread(content.size() + unread_cost_of_frame);
    on_frame_(std::move(content));
  }
}

void frame_stream::count_unread(std::size_t bytes) {
  std::lock_guard guard{mutex_};
  unread_ += bytes;
  paused_ = unread_ > options_.max_unread_bytes;
}

bool frame_stream::halted() const {
  std::lock_guard guard{mutex_};
  return paused_ || sealed_;
}

std::string frame_stream::too_large() const {
  auto announced = parser_.announced();
  if (!socket_->tls() && looks_like_tls(announced))
    return "the peer speaks TLS, and this side does not";
  return "the peer announced a frame of " + std::to_string(announced) +
         " bytes, over the limit of " + std::to_string(max_frame_bytes_);
}

void frame_stream::write() {
  batch_.clear();
  if (batch_.capacity() > idle_queue_bytes)
    batch_ = {};
  {
    std::lock_guard guard{mutex_};
    batch_.swap(queue_);
    in_flight_ = batch_.size();
    writing_ = in_flight_ > 0 && !closed_;
    if (!writing_ && closing_)
      socket_->finish_sending();
    if (!writing_)
      return;
  }
  socket_->write(asio::buffer(batch_), [self = shared_from_this()](auto error, std::size_t count) {
    self->sent_ += count;
    self->on_written(error);
  });
}

void frame_stream::on_written(boost::system::error_code error) {
  if (!error)
    return write();
  if (closed_)
    return;
  if (closing_)
    return finish({});
  // A read shows it as well, and what the peer said before it closed is worth more.
  if (!reading_)
    on_lost(error);
}

void frame_stream::begin_close() {
  if (closed_ || closing_)
    return;
  closing_ = true;
  patience_.expires_after(bounded(options_.close_patience));
  patience_.async_wait([self = shared_from_this()](auto error) {
    if (!error)
      self->finish({});
  });
  // What is not read would reset the connection, and with it what the peer has not read yet.
  read();
  bool idle;
  {
    std::lock_guard guard{mutex_};
    idle = !std::exchange(writing_, true);
  }
  if (idle)
    write();
}

void frame_stream::finish(std::string reason) {
  if (closed_)
    return;
  closed_ = true;
  reason_ = std::move(reason);
  patience_.cancel();
  socket_->close();
  {
    std::lock_guard guard{mutex_};
    sealed_ = true;
    queue_ = {};
    in_flight_ = 0;
  }
  on_frame_ = nullptr;
  if (auto told = std::exchange(on_close_, nullptr))
    told(reason_);
}

} // namespace rolecall::net
