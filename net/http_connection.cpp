#include "net/http_connection.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>

#include <algorithm>
#include <array>

namespace rolecall::net {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr auto tuple = asio::as_tuple(asio::use_awaitable);

std::string place(const url& to) {
  return to.host + ":" + std::to_string(to.port);
}

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return c > 0x20 && c < 0x7f && c != ':';
  });
}

std::string head_of(const http_request& request, const url& to, std::string_view user_agent) {
  std::string head;
  head.reserve(256);
  head += request.method + " " + to.target + " HTTP/1.1\r\nHost: " + to.authority() +
          "\r\nUser-Agent: ";
  head += user_agent;
  head += "\r\n";
  for (const auto& [name, value] : request.headers)
    head += name + ": " + value + "\r\n";
  if (request.body)
    head += "Content-Length: " + std::to_string(request.body->size()) + "\r\n";
  return head + "\r\n";
}

http_failure read_failure(const error_code& error, const url& to, const http_request& request) {
  auto from = " from " + place(to);
  if (error == http::error::body_limit)
    return {http_errc::too_large, "the response" + from + " is larger than " +
                                      std::to_string(request.max_body_bytes) + " bytes"};
  if (error == http::error::header_limit || error == http::error::buffer_overflow)
    return {http_errc::malformed, "the head of the response" + from + " is over the limit"};
  if (error == http::error::end_of_stream)
    return {http_errc::connection_lost, place(to) + " closed the connection without an answer"};
  if (error == http::error::partial_message)
    return {http_errc::connection_lost,
            place(to) + " closed the connection in the middle of its answer"};
  if (error.category() == http::make_error_code(http::error::end_of_stream).category())
    return {http_errc::malformed, "the response" + from + " is not HTTP: " + error.message()};
  return {http_errc::connection_lost, "connection to " + place(to) + " lost: " + error.message()};
}

template <class Response>
http_response take(Response&& message) {
  http_response result;
  result.status = message.result_int();
  for (const auto& field : message)
    result.headers.push_back({std::string{field.name_string()}, std::string{field.value()}});
  result.body = std::move(message.body());
  return result;
}

} // namespace

std::optional<std::string> unsendable(const http_request& request) {
  if (!is_token(request.method))
    return "the method is not a token";
  for (const auto& [name, value] : request.headers) {
    if (!is_token(name))
      return "the name of a header is not a token";
    if (value.find_first_of(std::string_view{"\r\n\0", 3}) != std::string::npos)
      return "the value of the header " + name + " has a line break";
  }
  return std::nullopt;
}

http_connection::http_connection(asio::io_context& context, asio::ssl::context& tls)
    : resolver_{context}, stream_{context, tls}, idle_timer_{context} {}

asio::awaitable<std::optional<http_failure>> http_connection::connect(const url& to) {
  auto fail = [&](http_errc code, const std::string& what, const error_code& error) {
    return std::optional{http_failure{code, what + place(to) + ": " + error.message()}};
  };
  auto [resolve_error, addresses] =
      co_await resolver_.async_resolve(to.host, std::to_string(to.port), tuple);
  if (resolve_error)
    co_return fail(http_errc::connect_failed, "cannot resolve ", resolve_error);
  if (aborted_) // a look-up cannot be interrupted
    co_return fail(http_errc::canceled, "", asio::error::operation_aborted);
  auto& socket = stream_.next_layer();
  auto [connect_error, reached] = co_await asio::async_connect(socket, addresses, tuple);
  if (connect_error || aborted_)
    co_return fail(http_errc::connect_failed, "cannot connect to ", connect_error);
  error_code ignored;
  socket.set_option(tcp::no_delay{true}, ignored);
  tls_ = to.scheme == "https";
  if (!tls_)
    co_return std::nullopt;
  asio::ip::make_address(to.host, ignored);
  if (ignored) // a name, not an address
    SSL_set_tlsext_host_name(stream_.native_handle(), to.host.c_str());
  stream_.set_verify_callback(asio::ssl::host_name_verification{to.host});
  auto [tls_error] = co_await stream_.async_handshake(asio::ssl::stream_base::client, tuple);
  if (!tls_error)
    co_return std::nullopt;
  auto verdict = SSL_get_verify_result(stream_.native_handle());
  if (verdict != X509_V_OK)
    co_return http_failure{http_errc::tls_failed,
                           "the certificate of " + place(to) +
                               " is not accepted: " + X509_verify_cert_error_string(verdict)};
  co_return fail(http_errc::tls_failed, "no TLS with ", tls_error);
}

asio::awaitable<exchange_result> http_connection::exchange(const http_request& request,
                                                           const url& to,
                                                           std::string_view user_agent,
                                                           std::size_t max_head_bytes) {
  auto head = head_of(request, to, user_agent);
  if (tls_)
    co_return co_await talk(stream_, request, to, head, max_head_bytes);
  co_return co_await talk(stream_.next_layer(), request, to, head, max_head_bytes);
}

template <class Stream>
asio::awaitable<exchange_result> http_connection::talk(Stream& stream, const http_request& request,
                                                       const url& to, std::string_view head,
                                                       std::size_t max_head_bytes) {
  std::array<asio::const_buffer, 2> parts{
      asio::buffer(head), request.body ? asio::buffer(*request.body) : asio::const_buffer{}};
  // If the server refuses while we still write, its answer says more than our error: read anyway.
  auto [write_error, written] = co_await asio::async_write(stream, parts, tuple);
  for (auto interim = 0; interim < 16; ++interim) {
    http::response_parser<http::string_body> parser;
    parser.header_limit(static_cast<std::uint32_t>(max_head_bytes));
    parser.body_limit(request.max_body_bytes);
    parser.skip(request.method == "HEAD");
    auto [head_error, head_size] = co_await http::async_read_header(stream, buffer_, parser, tuple);
    if (head_error) {
      auto failure = read_failure(head_error, to, request);
      if (write_error && failure.code == http_errc::connection_lost)
        failure.message = "connection to " + place(to) + " lost: " + write_error.message();
      co_return exchange_result{std::move(failure), false, !parser.got_some()};
    }
    auto status = parser.get().result_int();
    if (status >= 100 && status < 200 && status != 101)
      continue;
    auto [body_error, body_size] = co_await http::async_read(stream, buffer_, parser, tuple);
    if (body_error)
      co_return exchange_result{read_failure(body_error, to, request)};
    auto reusable = parser.keep_alive() && buffer_.size() == 0 && !write_error && status != 101;
    co_return exchange_result{take(parser.release()), reusable};
  }
  co_return exchange_result{
      http_failure{http_errc::malformed, place(to) + " sends interim responses without end"}};
}

void http_connection::watch(std::chrono::milliseconds idle_timeout, std::function<void()> ended) {
  watcher_ = std::make_shared<std::function<void()>>(std::move(ended));
  auto told = [watcher = std::weak_ptr{watcher_}] {
    // Whoever has stopped watching in the meantime has taken the function away.
    if (auto alive = watcher.lock(); alive && *alive)
      std::exchange(*alive, nullptr)();
  };
  idle_timer_.expires_after(idle_timeout);
  idle_timer_.async_wait([told](const error_code& error) {
    if (!error)
      told();
  });
  // Readable while idle means closed, or an answer that nobody asked for: of no more use either
  // way.
  stream_.next_layer().async_wait(tcp::socket::wait_read, [told](const error_code&) { told(); });
}

void http_connection::stop_watching() {
  watcher_.reset();
  idle_timer_.cancel();
  error_code ignored;
  stream_.next_layer().cancel(ignored);
}

void http_connection::abort() {
  aborted_ = true;
  watcher_.reset();
  idle_timer_.cancel();
  resolver_.cancel();
  error_code ignored;
  stream_.next_layer().close(ignored);
}

} // namespace rolecall::net
