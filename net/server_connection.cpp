#include "net/server_connection.hpp"

#include "net/durations.hpp"
#include "net/request_check.hpp"
#include "net/syntax.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

namespace rolecall::net {

namespace asio = boost::asio;
using std::chrono::steady_clock;

namespace {

constexpr std::size_t read_bytes = 4u << 10;
constexpr std::size_t body_read_bytes = 64u << 10;
/// What a connection may keep allocated when it has nothing to read.
constexpr std::size_t idle_buffer_bytes = 8u << 10;

/// After the last response: for the client to read it before a reset can overtake it.
constexpr std::chrono::milliseconds linger_timeout{1'000};

} // namespace

const std::string& connection_host::date() {
  auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  if (now != date_made_) {
    date_made_ = now;
    date_ = http_date(now);
  }
  return date_;
}

server_connection::server_connection(asio::ip::tcp::socket socket,
                                     std::shared_ptr<connection_host> host)
    : socket_{std::move(socket), host->tls ? &*host->tls : nullptr},
      host_{std::move(host)},
      timer_{socket_.tcp().get_executor()},
      max_buffered_{std::max(host_->options.max_head_bytes, body_read_bytes) + read_bytes} {}

void server_connection::start() {
  boost::system::error_code ignored;
  if (auto remote = socket_.tcp().remote_endpoint(ignored); !ignored)
    peer_ = remote.address().to_string();
  if (!socket_.tls()) {
    enter(phase::idle, host_->options.idle_timeout);
    return read();
  }
  enter(phase::idle, host_->options.head_timeout);
  socket_.handshake(asio::ssl::stream_base::server, [self = shared_from_this()](auto error) {
    if (self->closed_)
      return;
    if (error)
      return self->close();
    self->enter(phase::idle, self->host_->options.idle_timeout);
    self->read();
  });
}

std::optional<steady_clock::time_point> server_connection::silent_since() const {
  if (phase_ != phase::idle && phase_ != phase::head)
    return std::nullopt;
  return since_;
}

void server_connection::drain() {
  draining_ = true;
  if (phase_ == phase::idle)
    close();
}

void server_connection::close() {
  if (closed_)
    return;
  closed_ = true;
  timer_.cancel();
  socket_.close();
  release_body();
  auto self = shared_from_this();
  deliver({body_piece::state::broken, {}});
  parts_.clear();
  if (auto exchange = std::move(exchange_))
    exchange->disconnect();
  // A copy: the server may go while it is told.
  if (auto ended = host_->ended)
    ended(*this);
}

void server_connection::enter(phase next, std::optional<std::chrono::milliseconds> time_limit) {
  phase_ = next;
  since_ = steady_clock::now();
  deadline_.reset();
  if (time_limit) {
    deadline_ = since_ + bounded(*time_limit);
    if (!timer_at_ || *deadline_ < *timer_at_)
      start_timer();
  }
}

void server_connection::start_timer() {
  timer_at_ = deadline_;
  timer_.expires_at(*timer_at_);
  timer_.async_wait([self = shared_from_this()](auto error) {
    // An aborted wait has been replaced by one that is earlier.
    if (!error && !self->closed_)
      self->on_deadline();
  });
}

void server_connection::on_deadline() {
  timer_at_.reset();
  if (!deadline_)
    return;
  if (*deadline_ > steady_clock::now())
    return start_timer();
  if (phase_ == phase::head)
    return refuse(408, "head_timeout", "the head of the request took too long");
  if (phase_ == phase::body)
    return refuse(408, "body_timeout", "the body of the request took too long");
  if (phase_ == phase::handling)
    return on_late();
  close();
}

void server_connection::read() {
  if (reading_ || closed_)
    return;
  buffer_.consume(std::exchange(parsed_, 0));
  if (buffer_.size() >= max_buffered_)
    return;
  auto in_body = phase_ == phase::body || body_open_;
  if (!in_body && buffer_.size() == 0 && buffer_.capacity() > idle_buffer_bytes)
    buffer_ = {};
  reading_ = true;
  auto wanted = in_body ? body_read_bytes : read_bytes;
  auto space = buffer_.prepare(std::min(wanted, max_buffered_ - buffer_.size()));
  socket_.read_some(space, [self = shared_from_this()](auto error, std::size_t count) {
    self->on_read(error, count);
  });
}

void server_connection::on_read(boost::system::error_code error, std::size_t count) {
  reading_ = false;
  if (closed_)
    return;
  // Once the response is being written, a client may have closed its sending half: writing tells.
  if (error && (phase_ == phase::writing || phase_ == phase::proceed))
    return;
  if (error)
    return close();
  if (phase_ == phase::linger)
    return read();
  buffer_.commit(count);
  if (phase_ == phase::idle || phase_ == phase::head || phase_ == phase::body)
    return parse();
  if (pull_)
    return feed_body();
  read();
}

std::string_view server_connection::unparsed() const {
  std::string_view all{static_cast<const char*>(buffer_.data().data()), buffer_.size()};
  return all.substr(parsed_);
}

void server_connection::parse() {
  using progress = message_parser::progress;
  const auto& options = host_->options;
  if (!parser_) {
    parser_.emplace(message_parser::kind::request, options.max_head_bytes, options.max_body_bytes);
    if (options.streams_body)
      parser_->bound_body_by([&options](const message& head) {
        return options.streams_body(head.method, head.target, head.headers)
                   ? std::numeric_limits<std::size_t>::max()
                   : options.max_body_bytes;
      });
  }
  auto step = [this] {
    auto data = unparsed();
    auto result = parser_->feed(data);
    parsed_ = buffer_.size() - data.size();
    return result;
  };
  auto result = step();
  if (result == progress::head_done) {
    enter(phase::body, options.body_timeout);
    if (!on_head())
      return;
    result = step();
  }
  if (result == progress::failed)
    return refuse_unparsed();
  if (!account_body())
    return refuse(503, "overloaded", "too many bodies are being read at the same time");
  if (result == progress::complete)
    return on_request();
  if (phase_ == phase::idle && parser_->started())
    enter(phase::head, options.head_timeout);
  read();
}

/// A body follows. Whether to read it now: not if the client wants to be told to send it first, nor
/// if the handler will ask for it.
bool server_connection::on_head() {
  const auto& request = parser_->message();
  auto expectation = find_header(request.headers, "expect");
  auto expects = expectation && request.minor_version == 1;
  if (expects && !same_without_case(*expectation, "100-continue")) {
    refuse(417, "expectation_failed", "the only expectation that can be met is 100-continue");
    return false;
  }
  if (const auto& refuses = host_->options.refuses_body)
    if (auto answer = refuses(request.method, request.target, request.headers)) {
      head_request_ = request.method == "HEAD";
      keep_alive_ = false;
      send(std::move(*answer));
      return false;
    }
  expects = expects && unparsed().empty();
  const auto& streams = host_->options.streams_body;
  if (streams && streams(request.method, request.target, request.headers)) {
    body_open_ = true;
    owes_continue_ = expects;
    on_request();
    return false;
  }
  if (!expects)
    return true;
  write_continue();
  return false;
}

void server_connection::write_continue() {
  phase_ = phase::proceed;
  socket_.write(asio::buffer(continue_text), [self = shared_from_this()](auto error, std::size_t) {
    if (self->closed_)
      return;
    if (error)
      return self->close();
    self->phase_ = phase::body;
    self->parse();
  });
}

void server_connection::refuse_unparsed() {
  using error = message_parser::error;
  switch (parser_->failure()) {
  case error::head_too_large:
    return refuse(431, "head_too_large", "the head of the request is over the limit");
  case error::body_too_large:
    return refuse(413, "body_too_large", "the body of the request is over the limit");
  case error::bad_version: return refuse(505, "version_not_supported", parser_->reason());
  case error::malformed:
  case error::none: break;
  }
  refuse(400, "malformed_request", parser_->reason());
}

void server_connection::refuse(unsigned status, std::string_view code, std::string_view message) {
  head_request_ = parser_ && parser_->has_head() && parser_->message().method == "HEAD";
  keep_alive_ = false;
  body_open_ = false;
  send(refusal(status, code, message));
}

http_response server_connection::refusal(unsigned status, std::string_view code,
                                         std::string_view message) const {
  const auto& make = host_->options.refusal;
  return make ? make(status, code, message) : error_response(status, code, message);
}

/// Counts what is kept of the present request's body; false if it is too much with all the others.
bool server_connection::account_body() {
  auto size = parser_->message().body.size();
  host_->load->body_bytes += size - accounted_;
  accounted_ = size;
  return host_->load->body_bytes <= host_->options.max_buffered_body_bytes;
}

void server_connection::release_body() {
  host_->load->body_bytes -= std::exchange(accounted_, 0);
}

void server_connection::on_request() {
  auto& request = parser_->message();
  keep_alive_ = body_open_ ? parser_->would_keep_alive() : parser_->keep_alive();
  head_request_ = request.method == "HEAD";
  version_1_0_ = request.minor_version == 0;
  if (const auto* wrong = make_origin_form(request))
    return refuse(400, "malformed_request", wrong);
  exchange_ = std::make_shared<exchange_state>();
  auto exchange = std::make_shared<server_exchange>(std::move(request), body_open_, peer_,
                                                    weak_from_this(), exchange_, host_->inbox);
  if (!body_open_)
    parser_.reset();
  enter(phase::handling, std::nullopt);
  read();
  // Held, because the server may go while it handles.
  if (auto handle = host_->handle)
    (*handle)(std::move(exchange));
}

void server_connection::respond(http_response response) {
  if (closed_ || phase_ != phase::handling || stream_)
    return;
  // A callback that holds the exchange would keep both for ever.
  std::exchange(exchange_, nullptr)->on_gone = nullptr;
  keep_alive_ = keep_alive_ && !body_open_; // the rest of the body would be taken for a request
  body_open_ = false;
  deliver({body_piece::state::broken, {}});
  if (stream_writing_) // "100 Continue", which is over soon
    deferred_ = std::move(response);
  else
    send(std::move(response));
}

/// Decides whether a further request may follow the response, and gives the head that says so.
std::string server_connection::settle_head(const http_response& response, body_framing framing) {
  keep_alive_ = keep_alive_ && !draining_ && framing != body_framing::close;
  auto next = !keep_alive_   ? after_response::close
              : version_1_0_ ? after_response::keep_alive_1_0
                             : after_response::keep_alive;
  return response_head(response, framing, next, host_->date());
}

void server_connection::send(http_response response) {
  response_head_ = settle_head(response, body_framing::length);
  response_body_ = std::move(response.body);
  auto bodiless = head_request_ || is_bodiless(response.status);
  std::array<asio::const_buffer, 2> buffers{
      asio::buffer(response_head_), bodiless ? asio::const_buffer{} : asio::buffer(response_body_)};
  enter(phase::writing, host_->options.write_timeout);
  socket_.write(buffers, [self = shared_from_this()](auto error, std::size_t) {
    if (!self->closed_)
      self->on_sent(error);
  });
}

void server_connection::on_sent(boost::system::error_code error) {
  if (error)
    return close();
  response_head_.clear();
  response_body_ = {};
  on_response_done();
}

void server_connection::on_response_done() {
  release_body();
  parser_.reset();
  if (keep_alive_ && !draining_) {
    enter(phase::idle, host_->options.idle_timeout);
    return parse();
  }
  // A close with unread input resets the connection, and may take the response with it.
  socket_.finish_sending();
  parsed_ = buffer_.size();
  enter(phase::linger, linger_timeout);
  read();
}

} // namespace rolecall::net
