#include "net/client_connection.hpp"

#include "net/address.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/write.hpp>

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <limits>

namespace rolecall::net {

namespace asio = boost::asio;

namespace {

// One read of a head, and of a body: an idle connection keeps no more than the first.
constexpr std::size_t head_read_bytes = 8u << 10;
constexpr std::size_t body_read_bytes = 64u << 10;

} // namespace

client_connection::client_connection(asio::io_context& context, asio::ssl::context* tls,
                                     const url& target, std::size_t max_head_bytes)
    : context_{context},
      tls_context_{tls},
      target_{target},
      where_{host_and_port(target.host, target.port)},
      max_head_{max_head_bytes},
      open_timer_{context},
      socket_{context} {}

void client_connection::open(std::chrono::milliseconds timeout,
                             std::function<void(std::optional<http_failure>)> done) {
  opened_ = std::move(done);
  open_timeout_ = timeout;
  open_timer_.expires_after(timeout);
  open_timer_.async_wait([self = shared_from_this()](auto error) {
    if (!error)
      self->finish_open(http_failure{http_errc::connect_failed,
                                     "cannot connect to " + self->where_ +
                                         ": no connection within " +
                                         std::to_string(self->open_timeout_.count()) + " ms"});
  });
  connector_ = std::make_shared<connector>(context_, open_timer_.expiry());
  connector_->start(target_.host, target_.port,
                    [self = shared_from_this()](auto error, tcp::socket socket) {
                      self->on_connected(error, std::move(socket));
                    });
}

void client_connection::on_connected(boost::system::error_code error, tcp::socket socket) {
  connector_ = nullptr;
  if (error)
    return finish_open(http_failure{http_errc::connect_failed,
                                    "cannot connect to " + where_ + ": " + error.message()});
  socket_ = std::move(socket);
  if (target_.scheme != "https")
    return finish_open(std::nullopt);
  if (!tls_context_)
    return finish_open(http_failure{
        http_errc::tls_failed,
        "TLS with " + where_ + " failed: the system's certificate authorities cannot be read"});
  tls_.emplace(socket_, *tls_context_);
  if (!expect_host(*tls_, target_.host))
    return finish_open(http_failure{http_errc::tls_failed,
                                    "TLS with " + where_ + " failed: the host cannot be verified"});
  tls_->async_handshake(asio::ssl::stream_base::client,
                        [self = shared_from_this()](auto error) { self->on_handshake(error); });
}

void client_connection::on_handshake(boost::system::error_code error) {
  if (!opened_)
    return;
  if (error)
    return finish_open(http_failure{http_errc::tls_failed, "TLS with " + where_ + " failed: " +
                                                               handshake_failure(*tls_, error)});
  finish_open(std::nullopt);
}

void client_connection::finish_open(std::optional<http_failure> failure) {
  auto opened = std::move(opened_);
  opened_ = nullptr;
  if (!opened)
    return;
  open_timer_.cancel();
  if (failure)
    close();
  opened(std::move(failure));
}

void client_connection::exchange(std::string head, const http_request& request,
                                 std::chrono::steady_clock::time_point started,
                                 std::function<void(exchange_outcome)> done) {
  dead_ = nullptr;
  ++exchanges_;
  done_ = std::move(done);
  head_ = std::move(head);
  body_ = request.body;
  head_request_ = request.method == "HEAD";
  max_body_ = request.max_body_bytes;
  on_data_ = request.on_data;
  answer_began_ = false;
  started_ = started;
  first_byte_ = {};
  start_parser();
  write();
  // An answer may come before the request has been written: a refusal of a large body, say.
  read();
}

void client_connection::start_parser() {
  // A body that is handed on piece by piece needs no bound; whether it is shows in the head.
  auto max_body = on_data_ ? std::numeric_limits<std::size_t>::max() : max_body_;
  parser_.emplace(message_parser::kind::response, max_head_, max_body);
  if (head_request_)
    parser_->expect_no_body();
}

void client_connection::write() {
  std::array<asio::const_buffer, 2> buffers{asio::buffer(head_),
                                            body_ ? asio::buffer(*body_) : asio::const_buffer{}};
  // An error shows in the read as well, and what the peer said before it closed is worth more.
  auto written = [self = shared_from_this()](auto error, std::size_t) {
    if (error)
      return;
    self->writing_ = false;
    self->head_.clear();
    self->body_ = nullptr;
  };
  writing_ = true;
  if (tls_)
    asio::async_write(*tls_, buffers, std::move(written));
  else
    asio::async_write(socket_, buffers, std::move(written));
}

void client_connection::read() {
  auto space = buffer_.prepare(parser_->has_head() ? body_read_bytes : head_read_bytes);
  auto done = [self = shared_from_this()](auto error, std::size_t count) {
    self->on_read(error, count);
  };
  if (tls_)
    tls_->async_read_some(space, std::move(done));
  else
    socket_.async_read_some(space, std::move(done));
}

void client_connection::on_read(boost::system::error_code error, std::size_t count) {
  if (!done_)
    return;
  if (!answer_began_ && count > 0) {
    answer_began_ = true;
    first_byte_ = std::chrono::duration_cast<std::chrono::microseconds>(
        std::chrono::steady_clock::now() - started_);
  }
  buffer_.commit(count);
  if (error)
    return on_lost(error);
  parse();
}

void client_connection::on_lost(boost::system::error_code error) {
  // Over TLS an end without close_notify comes as another error: somebody may have cut the body.
  if (error == asio::error::eof) {
    if (parser_->end_of_input() == message_parser::progress::complete)
      return on_message();
    return fail(http_errc::connection_lost,
                where_ + (answer_began_ ? " closed the connection before the end of its answer"
                                        : " closed the connection without an answer"));
  }
  fail(http_errc::connection_lost, "lost the connection to " + where_ + ": " + error.message());
}

void client_connection::parse() {
  using progress = message_parser::progress;
  std::string_view data{static_cast<const char*>(buffer_.data().data()), buffer_.size()};
  auto result = parser_->feed(data);
  while (true) {
    if (result == progress::head_done) {
      result = parser_->feed(data);
    } else if (result == progress::complete && parser_->message().status / 100 == 1 &&
               parser_->message().status != 101) {
      start_parser();
      result = parser_->feed(data);
    } else {
      break;
    }
  }
  buffer_.consume(buffer_.size() - data.size());
  if (on_data_ && parser_->has_head() && !deliver())
    return;
  if (result == progress::need_more)
    return read();
  if (result == progress::complete)
    return on_message();
  if (parser_->failure() == message_parser::error::body_too_large)
    return fail_too_large();
  fail(http_errc::malformed, where_ + " sent a malformed answer: " + parser_->reason());
}

/// Hands on what has come of a body that is read piece by piece. False if the exchange has ended.
bool client_connection::deliver() {
  auto& message = parser_->message();
  if (message.status / 100 != 2) { // a refusal is collected, and has the bound of one
    if (message.body.size() <= max_body_)
      return true;
    fail_too_large();
    return false;
  }
  auto piece = parser_->take_body();
  auto on_data = on_data_; // it may close the connection, and that forgets the callback
  if (!piece.empty())
    on_data(piece);
  return done_ != nullptr;
}

void client_connection::on_message() {
  if (parser_->message().status == 101)
    return fail(http_errc::malformed, where_ + " switched to a protocol nobody asked for");
  auto reusable = parser_->keep_alive() && buffer_.size() == 0 && !writing_;
  finish(take_partial(), reusable);
}

http_response client_connection::take_partial() {
  http_response result;
  result.first_byte = first_byte_;
  if (parser_ && parser_->has_head()) {
    auto& message = parser_->message();
    result.status = message.status;
    result.headers = std::move(message.headers);
    result.body = std::move(message.body);
  }
  return result;
}

void client_connection::fail_too_large() {
  fail(http_errc::too_large,
       "the body of the answer of " + where_ + " is over " + std::to_string(max_body_) + " bytes");
}

void client_connection::fail(http_errc code, std::string message) {
  finish(http_failure{code, std::move(message), take_partial()}, false);
}

void client_connection::finish(http_result result, bool reusable) {
  auto done = std::move(done_);
  done_ = nullptr;
  on_data_ = nullptr;
  parser_.reset();
  if (!reusable)
    close();
  done({std::move(result), answer_began_, reusable});
}

void client_connection::watch(std::function<void()> dead) {
  dead_ = std::move(dead);
  if (buffer_.capacity() > head_read_bytes)
    buffer_ = {};
  // The wait reads nothing, so it may be left pending into the next exchange, where it means
  // nothing.
  socket_.async_wait(tcp::socket::wait_read,
                     [self = shared_from_this(), exchange = exchanges_](auto) {
                       if (self->dead_ && self->exchanges_ == exchange) {
                         auto dead = std::move(self->dead_);
                         self->dead_ = nullptr;
                         dead();
                       }
                     });
}

bool client_connection::usable() {
  if (tls_ && has_unread_input(*tls_))
    return false;
  char byte = 0;
  return ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 &&
         (errno == EAGAIN || errno == EWOULDBLOCK);
}

void client_connection::close() {
  opened_ = nullptr;
  done_ = nullptr;
  on_data_ = nullptr;
  dead_ = nullptr;
  open_timer_.cancel();
  if (connector_)
    connector_->cancel();
  connector_ = nullptr;
  boost::system::error_code ignored;
  socket_.close(ignored);
}

} // namespace rolecall::net
