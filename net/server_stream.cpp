// What a connection does while a request is with the handler: the rest of the body is read as it is
// asked for, and a streamed response is written as it comes to be. Both may go on at the same time.
#include "net/durations.hpp"
#include "net/server_connection.hpp"

#include <algorithm>
#include <cstdio>
#include <utility>

namespace rolecall::net {

namespace asio = boost::asio;
using std::chrono::steady_clock;

namespace {

constexpr std::size_t max_parts_per_write = 64;

std::string chunk_head(std::size_t size) {
  char text[24];
  auto length = std::snprintf(text, sizeof text, "%zx\r\n", size);
  return {text, static_cast<std::size_t>(length)};
}

} // namespace

// -- the request's body
// ------------------------------------------------------------------------------

void server_connection::read_body(body_order order) {
  if (closed_ || phase_ != phase::handling || order.state != exchange_ || !body_open_ || pull_)
    return order.next({body_piece::state::broken, {}});
  pull_ = std::move(order.next);
  pull_since_ = steady_clock::now();
  if (std::exchange(owes_continue_, false))
    write_late_continue();
  feed_body();
}

void server_connection::write_late_continue() {
  stream_writing_ = true;
  write_since_ = steady_clock::now();
  socket_.write(asio::buffer(continue_text), [self = shared_from_this()](auto error, std::size_t) {
    if (self->closed_)
      return;
    if (error)
      return self->close();
    self->stream_writing_ = false;
    if (auto response = std::exchange(self->deferred_, std::nullopt))
      return self->send(std::move(*response));
    self->rearm();
    if (self->stream_)
      self->write_stream();
  });
}

void server_connection::feed_body() {
  using progress = message_parser::progress;
  auto data = unparsed();
  auto result = parser_->feed(data);
  parsed_ = buffer_.size() - data.size();
  auto piece = parser_->take_body();
  if (result == progress::failed) {
    keep_alive_ = false;
    body_open_ = false;
    deliver({body_piece::state::broken, {}});
  } else if (result == progress::complete) {
    body_open_ = false;
    parser_.reset();
    deliver({body_piece::state::end, std::move(piece)});
  } else if (!piece.empty()) {
    deliver({body_piece::state::more, std::move(piece)});
  }
  if (closed_)
    return;
  rearm();
  read();
}

void server_connection::deliver(body_piece piece) {
  if (auto next = std::exchange(pull_, nullptr))
    next(std::move(piece));
}

// -- the streamed response
// ---------------------------------------------------------------------------

void server_connection::begin_stream(const stream_head& order) {
  if (closed_ || phase_ != phase::handling || order.state != exchange_)
    return;
  stream_ = version_1_0_ ? body_framing::close : body_framing::chunked;
  stream_ends_ = false;
  if (std::exchange(owes_continue_, false))
    stream_text_ = continue_text; // the client holds its body back until then
  stream_text_ += settle_head(order.head, *stream_);
  write_stream();
}

void server_connection::write_part(stream_part order) {
  if (closed_ || !stream_ || order.state != exchange_)
    return;
  if (!order.part)
    stream_ends_ = true;
  else if (head_request_)
    exchange_->backlog -= order.part->size();
  else
    parts_.push_back(std::move(order.part));
  write_stream();
}

void server_connection::abort(const stream_abort& order) {
  if (!closed_ && order.state == exchange_)
    close();
}

/// Writes the head, if it has not been written, and the parts there are, in one go.
void server_connection::write_stream() {
  if (stream_writing_)
    return;
  auto chunked = *stream_ == body_framing::chunked && !head_request_;
  auto ends = stream_ends_ && parts_.size() <= max_parts_per_write;
  if (stream_text_.empty() && parts_.empty() && !ends)
    return;
  auto count = std::min(parts_.size(), max_parts_per_write);
  writing_.assign(parts_.begin(), parts_.begin() + static_cast<std::ptrdiff_t>(count));
  parts_.erase(parts_.begin(), parts_.begin() + static_cast<std::ptrdiff_t>(count));
  // The text between the parts lies in one string: before each part, and after the last one.
  std::vector<std::size_t> cuts;
  for (std::size_t i = 0; i < count && chunked; ++i) {
    stream_text_ += (i == 0 ? "" : "\r\n") + chunk_head(writing_[i]->size());
    cuts.push_back(stream_text_.size());
  }
  if (chunked && count > 0)
    stream_text_ += "\r\n";
  if (chunked && ends)
    stream_text_ += "0\r\n\r\n";
  std::vector<asio::const_buffer> buffers;
  std::size_t from = 0;
  for (std::size_t i = 0; i < count; ++i) {
    auto to = chunked ? cuts[i] : (i == 0 ? stream_text_.size() : from);
    buffers.emplace_back(stream_text_.data() + from, to - from);
    buffers.emplace_back(asio::buffer(*writing_[i]));
    from = to;
  }
  buffers.emplace_back(stream_text_.data() + from, stream_text_.size() - from);
  stream_writing_ = true;
  write_since_ = steady_clock::now();
  rearm();
  socket_.write(buffers, [self = shared_from_this(), ends](auto error, std::size_t) {
    if (!self->closed_)
      self->on_stream_sent(error, ends);
  });
}

void server_connection::on_stream_sent(boost::system::error_code error, bool whole) {
  if (error)
    return close();
  stream_writing_ = false;
  stream_text_.clear();
  std::size_t bytes = 0;
  for (const auto& part : std::exchange(writing_, {}))
    bytes += part->size();
  exchange_->backlog -= bytes;
  if (whole)
    return on_stream_done();
  if (exchange_->on_drained && exchange_->backlog <= exchange_->drained_at)
    std::exchange(exchange_->on_drained, nullptr)();
  rearm();
  write_stream();
}

void server_connection::on_stream_done() {
  stream_.reset();
  auto exchange = std::exchange(exchange_, nullptr);
  exchange->stream_open = false;
  exchange->on_gone = nullptr;
  exchange->on_drained = nullptr;
  keep_alive_ = keep_alive_ && !body_open_; // the rest of the body would be taken for a request
  body_open_ = false;
  deliver({body_piece::state::broken, {}});
  on_response_done();
}

/// When something comes too late that the handler or the client is waited for with.
void server_connection::on_late() {
  auto now = steady_clock::now();
  if (stream_writing_ && write_since_ + bounded(host_->options.write_timeout) <= now)
    return close();
  if (pull_ && pull_since_ + bounded(host_->options.body_timeout) <= now) {
    body_open_ = false;
    keep_alive_ = false;
    deliver({body_piece::state::timeout, {}});
  }
  rearm();
}

/// Sets the deadline of what this connection waits for: a piece of the body, a part to be taken.
void server_connection::rearm() {
  if (closed_ || phase_ != phase::handling)
    return;
  deadline_.reset();
  auto add = [&](steady_clock::time_point since, std::chrono::milliseconds limit) {
    auto due = since + bounded(limit);
    deadline_ = deadline_ ? std::min(*deadline_, due) : due;
  };
  if (stream_writing_)
    add(write_since_, host_->options.write_timeout);
  if (pull_)
    add(pull_since_, host_->options.body_timeout);
  if (deadline_ && (!timer_at_ || *deadline_ < *timer_at_))
    start_timer();
}

} // namespace rolecall::net
