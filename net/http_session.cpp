#include "net/http_session.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/status.hpp>

#include <array>
#include <ctime>

namespace rolecall::net {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;

namespace {

constexpr auto tuple = asio::as_tuple(asio::use_awaitable);

class exchange final : public http_exchange {
public:
  exchange(std::shared_ptr<http_session> session, std::uint64_t number,
           http::request<http::string_body> message)
      : session_{std::move(session)},
        number_{number},
        method_{message.method_string()},
        body_{std::move(message.body())} {
    std::string_view target{message.target().data(), message.target().size()};
    auto mark = std::min(target.find('?'), target.size());
    path_ = target.substr(0, mark);
    query_ = target.substr(std::min(mark + 1, target.size()));
    for (const auto& field : message)
      headers_.push_back({std::string{field.name_string()}, std::string{field.value()}});
  }

  ~exchange() override {
    respond({500,
             {{"Content-Type", "application/json"}},
             R"({"error":{"code":"internal","message":"the request was not answered"}})"});
  }

  const std::string& method() const override { return method_; }
  const std::string& path() const override { return path_; }
  const std::string& query() const override { return query_; }
  const net::headers& headers() const override { return headers_; }
  const std::string& body() const override { return body_; }

  void respond(http_response response) override { session_->answer(number_, std::move(response)); }
  void on_disconnect(std::function<void()> gone) override {
    session_->on_gone(number_, std::move(gone));
  }

private:
  std::shared_ptr<http_session> session_;
  std::uint64_t number_;
  std::string method_;
  std::string path_;
  std::string query_;
  net::headers headers_;
  std::string body_;
};

std::string date_now() {
  auto now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  char text[64];
  std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts);
  return text;
}

std::string head_of(const http_response& response, bool keep_alive) {
  auto reason = http::obsolete_reason(static_cast<http::status>(response.status));
  auto head = "HTTP/1.1 " + std::to_string(response.status) + " " + std::string{reason} +
              "\r\nDate: " + date_now() + "\r\n";
  for (const auto& [name, value] : response.headers)
    head += name + ": " + value + "\r\n";
  if (response.status != 204 && response.status != 304)
    head += "Content-Length: " + std::to_string(response.body.size()) + "\r\n";
  if (!keep_alive)
    head += "Connection: close\r\n";
  return head + "\r\n";
}

} // namespace

http_session::http_session(asio::ip::tcp::socket socket, std::shared_ptr<session_owner> owner)
    : socket_{std::move(socket)},
      owner_{std::move(owner)},
      limit_{socket_.get_executor()},
      answered_{socket_.get_executor()} {}

void http_session::start() {
  error_code ignored;
  socket_.set_option(asio::ip::tcp::no_delay{true}, ignored);
  asio::co_spawn(
      socket_.get_executor(), [self = shared_from_this()] { return self->run(); }, asio::detached);
}

void http_session::close_when_idle() {
  if (idle_)
    abort();
}

void http_session::abort() {
  aborted_ = true;
  error_code ignored;
  socket_.close(ignored);
  client_gone();
}

void http_session::answer(std::uint64_t number, http_response response) {
  asio::post(socket_.get_executor(),
             [self = shared_from_this(), number, response = std::move(response)]() mutable {
               if (!self->waiting_ || self->number_ != number || self->response_)
                 return;
               self->response_ = std::move(response);
               self->answered_.cancel();
             });
}

void http_session::on_gone(std::uint64_t number, std::function<void()> gone) {
  asio::post(socket_.get_executor(),
             [self = shared_from_this(), number, gone = std::move(gone)]() mutable {
               if (!self->waiting_ || self->number_ != number || self->response_)
                 return; // answered already
               if (self->gone_)
                 gone();
               else
                 self->on_gone_ = std::move(gone);
             });
}

asio::awaitable<void> http_session::run() {
  auto self = shared_from_this();
  try {
    while (co_await serve_one())
      continue;
  } catch (const std::exception&) {
    // A handler that throws costs its own connection, not the server.
  }
  clear_limit();
  error_code ignored;
  socket_.close(ignored);
  owner_->ended(self);
}

asio::awaitable<bool> http_session::serve_one() {
  const auto& options = owner_->options();
  idle_ = buffer_.size() == 0;
  if (idle_ && owner_->closing())
    co_return false;
  if (idle_) {
    set_limit(options.idle_timeout);
    auto [error] = co_await socket_.async_wait(asio::ip::tcp::socket::wait_read, tuple);
    if (error || late_ || aborted_)
      co_return false;
  }
  idle_ = false;
  ++number_;
  parser incoming;
  if (!co_await read(incoming))
    co_return false;
  clear_limit();
  auto message = incoming.release();
  auto keep_alive = message.keep_alive();
  auto head_only = message.method() == http::verb::head;
  response_.reset();
  gone_ = false;
  waiting_ = true;
  watch_client(number_);
  owner_->handle(std::make_shared<exchange>(shared_from_this(), number_, std::move(message)));
  co_await wait_for_answer();
  waiting_ = false;
  on_gone_ = nullptr;
  if (gone_ || aborted_ || !response_)
    co_return false;
  error_code ignored;
  socket_.cancel(ignored); // the watch
  co_return co_await write(*response_, keep_alive && !owner_->closing(), head_only);
}

asio::awaitable<bool> http_session::read(parser& incoming) {
  const auto& options = owner_->options();
  incoming.header_limit(static_cast<std::uint32_t>(options.max_head_bytes));
  incoming.body_limit(options.max_body_bytes);
  set_limit(options.head_timeout);
  auto [head_error, head_size] =
      co_await http::async_read_header(socket_, buffer_, incoming, tuple);
  if (aborted_ || head_error == http::error::end_of_stream)
    co_return false;
  if (late_)
    co_return co_await refuse(408, "request_timeout", "the head of the request came too slowly");
  if (head_error == http::error::header_limit || head_error == http::error::buffer_overflow)
    co_return co_await refuse(431, "head_too_large",
                              "the head of the request is over " +
                                  std::to_string(options.max_head_bytes) + " bytes");
  auto too_large = [&] {
    return refuse(413, "too_large",
                  "the body is over " + std::to_string(options.max_body_bytes) + " bytes");
  };
  if (head_error == http::error::body_limit)
    co_return co_await too_large();
  if (head_error)
    co_return co_await refuse(400, "bad_request", "not an HTTP request: " + head_error.message());
  const auto& head = incoming.get();
  if (head.version() != 11 && head.version() != 10)
    co_return co_await refuse(505, "bad_version", "HTTP/1.1 is spoken here");
  if (head.version() == 11 && head.count(http::field::host) != 1)
    co_return co_await refuse(400, "bad_request", "one Host header is needed");
  // Beast lets the later of the two win, which is what request smuggling lives on.
  if (head.count(http::field::transfer_encoding) > 0 &&
      (head.count(http::field::content_length) > 0 || head.version() == 10))
    co_return co_await refuse(400, "bad_request", "the length of the body is ambiguous");
  set_limit(options.body_timeout);
  if (boost::beast::iequals(head[http::field::expect], "100-continue")) {
    static const std::string go_on = "HTTP/1.1 100 Continue\r\n\r\n";
    co_await asio::async_write(socket_, asio::buffer(go_on), tuple);
  }
  auto [body_error, body_size] = co_await http::async_read(socket_, buffer_, incoming, tuple);
  if (aborted_)
    co_return false;
  if (late_)
    co_return co_await refuse(408, "request_timeout", "the body of the request came too slowly");
  if (body_error == http::error::body_limit)
    co_return co_await too_large();
  if (body_error == http::error::partial_message || body_error == asio::error::connection_reset)
    co_return false;
  if (body_error)
    co_return co_await refuse(400, "bad_request", "broken body: " + body_error.message());
  co_return true;
}

asio::awaitable<bool> http_session::refuse(unsigned status, std::string code, std::string message) {
  http_response response;
  response.status = status;
  response.headers.push_back({"Content-Type", "application/json"});
  // Texts of our own and of Beast: nothing in them has to be escaped.
  response.body = R"({"error":{"code":")" + code + R"(","message":")" + message + R"("}})";
  co_await write(response, false, false);
  co_return false;
}

asio::awaitable<bool> http_session::write(const http_response& response, bool keep_alive,
                                          bool head_only) {
  set_limit(owner_->options().write_timeout);
  auto head = head_of(response, keep_alive);
  std::array<asio::const_buffer, 2> parts{
      asio::buffer(head), head_only ? asio::const_buffer{} : asio::buffer(response.body)};
  auto [error, size] = co_await asio::async_write(socket_, parts, tuple);
  clear_limit();
  if (!error && !keep_alive)
    co_await linger();
  co_return !error && keep_alive && !late_;
}

asio::awaitable<void> http_session::linger() {
  // To close while the client still sends would make its system drop the response unread. So it is
  // told that nothing more comes, and for a moment what it still sends is read and forgotten.
  error_code error;
  socket_.shutdown(asio::ip::tcp::socket::shutdown_send, error);
  set_limit(std::chrono::milliseconds{1'000});
  std::array<char, 16'384> forgotten{};
  std::size_t total = 0;
  constexpr std::size_t most = 16u << 20;
  while (!error && !late_ && total < most) {
    auto [read_error, size] = co_await socket_.async_read_some(asio::buffer(forgotten), tuple);
    error = read_error;
    total += size;
  }
}

asio::awaitable<void> http_session::wait_for_answer() {
  while (!response_ && !gone_ && !aborted_) {
    answered_.expires_at(asio::steady_timer::time_point::max());
    co_await answered_.async_wait(tuple);
  }
}

void http_session::watch_client(std::uint64_t number) {
  // Readable while nothing is due means that the client has gone, or has sent its next request
  // already: that stays where it is until its turn comes.
  if (buffer_.size() > 0)
    return;
  socket_.async_wait(asio::ip::tcp::socket::wait_read,
                     [self = shared_from_this(), number](const error_code& error) {
                       if (!self->waiting_ || self->number_ != number || self->response_)
                         return;
                       error_code ignored;
                       if (error || self->socket_.available(ignored) == 0)
                         self->client_gone();
                     });
}

void http_session::client_gone() {
  if (!waiting_ || response_)
    return;
  gone_ = true;
  answered_.cancel();
  if (on_gone_)
    asio::post(socket_.get_executor(), std::exchange(on_gone_, nullptr));
}

void http_session::set_limit(std::chrono::milliseconds length) {
  late_ = false;
  limit_.expires_after(length);
  enforce_limit(++limit_number_);
}

void http_session::enforce_limit(std::uint64_t number) {
  limit_.async_wait([self = weak_from_this(), number](const error_code& canceled) {
    auto alive = self.lock();
    if (canceled || !alive || number != alive->limit_number_)
      return;
    alive->late_ = true;
    error_code ignored;
    alive->socket_.cancel(ignored);
    // An operation of several steps may be between two of them just now: ask again soon.
    alive->limit_.expires_after(std::chrono::milliseconds{20});
    alive->enforce_limit(number);
  });
}

void http_session::clear_limit() {
  ++limit_number_;
  limit_.cancel();
}

} // namespace rolecall::net
