#pragma once

#include "net/http.hpp"

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace rolecall::net {

/// PEM files of a server that speaks TLS.
struct tls_files {
  std::string certificate; ///< with the chain that leads to its authority
  std::string key;
};

struct http_server_options {
  std::string address{"127.0.0.1"};
  std::uint16_t port{0};          ///< 0: any free one
  std::optional<tls_files> tls{}; ///< none: plain HTTP
  /// Past it, those that have been silent the longest make room; if there is none of them, the new
  /// one is closed on accept.
  std::size_t max_connections{10'000};
  std::size_t max_head_bytes{16u << 10};           ///< over it: 431
  std::size_t max_body_bytes{64u << 20};           ///< over it: 413, before the body is read
  std::chrono::milliseconds head_timeout{10'000};  ///< from first byte to end of the head: 408
  std::chrono::milliseconds body_timeout{60'000};  ///< from end of the head to end of the body: 408
  std::chrono::milliseconds write_timeout{60'000}; ///< for the client to take the response
  std::chrono::milliseconds idle_timeout{75'000};  ///< between requests: closed
  /// Whether the body of a request is handed over piece by piece (`http_exchange::read_body`). It
  /// may be of any size then, and `body_timeout` bounds the wait for each piece. None: never.
  std::function<bool(std::string_view method, std::string_view target, const headers&)>
      streams_body{};
  /// Looks at the head of a request with a body before that is read: what it gives is the answer,
  /// and the connection is closed. On the loop's thread. None: all may send their bodies.
  std::function<std::optional<http_response>(std::string_view method, std::string_view target,
                                             const headers&)>
      refuses_body{};
  std::size_t max_buffered_body_bytes{1u << 30}; ///< of all requests together; past it: 503
  /// Makes what the server itself answers to requests that it refuses: a status, a code, and a text
  /// for people that needs no escapes. None: {"error":{"code":"...","message":"..."}}.
  std::function<http_response(unsigned, std::string_view, std::string_view)> refusal{};
};

/// What came of a call of `http_exchange::read_body`.
struct body_piece {
  enum class state {
    more,    ///< `data` is the next part, and more may come
    end,     ///< `data` is the last part, and may be empty
    timeout, ///< nothing came in time
    broken   ///< the client has gone, or sent what is no body
  };
  state what{state::more};
  std::string data{};
};

/// A response whose body is written as it comes to be. May be used from any thread. If it is
/// dropped before `finish`, the connection is closed, so that the client can tell.
class response_stream {
public:
  virtual ~response_stream() = default;

  /// Hands over a part of the body, which must not be empty. Gives false if the client is gone.
  virtual bool write(std::shared_ptr<const std::string> part) = 0;
  /// The body is whole.
  virtual void finish() = 0;
  /// Bytes that were written and that the system has not taken. Whoever writes bounds it.
  virtual std::size_t backlog() const = 0;
  /// `call` is called once, on the loop's thread, when the backlog is at most `bytes`; not at all
  /// if the client goes before. A second call replaces the first.
  virtual void when_below(std::size_t bytes, std::function<void()> call) = 0;
};

/// A request as it came, and where its response goes. Shared by the connection and the handler; a
/// handler may keep it and answer later, from any thread.
class http_exchange {
public:
  virtual ~http_exchange() = default;

  virtual const std::string& method() const = 0;
  /// Path without the query, still percent-encoded.
  virtual const std::string& path() const = 0;
  virtual const std::string& query() const = 0; ///< without the '?'
  virtual const net::headers& headers() const = 0;
  virtual const std::string& body() const = 0; ///< empty if it is handed over piece by piece
  virtual const std::string& peer() const = 0; ///< the client's address, without a port

  /// `next` gets the next part of the body, on the loop's thread: for a request of which
  /// `streams_body` said so as it comes, for others the whole. One call at a time; none after
  /// `end`, `timeout` or `broken`. What is not asked for is not read: that slows the client down.
  virtual void read_body(std::function<void(body_piece)> next) = 0;

  /// Sends the response. The first call counts, later ones do nothing. `Content-Length`, `Date` and
  /// `Connection` are written by the server. An exchange that is dropped unanswered sends 500.
  virtual void respond(http_response response) = 0;

  /// Begins a response whose body follows piece by piece; the body of `head` is ignored. Null if
  /// there has been a response.
  virtual std::shared_ptr<response_stream> respond_streamed(http_response head) = 0;

  /// `gone` is called once, on the loop's thread, if the client closes the connection (or the
  /// server shuts down) before the response is whole; at once if that has happened already. A
  /// client that closes only its sending half counts as gone. A second callback replaces the first.
  /// Not called any more once the server has been destroyed.
  virtual void on_disconnect(std::function<void()> gone) = 0;
};

/// HTTP/1.1 server on one event loop, plain or over TLS: keep-alive, pipelined requests one after
/// the other, limits on everything a client can send or withhold. What is refused gets a response
/// with the reason, and the connection is closed. Shapes that request smuggling needs (both
/// Content-Length and Transfer-Encoding, conflicting lengths) are refused with 400.
class http_server {
public:
  /// Called on the loop's thread, once a request has been read to its end. Must not block or throw.
  using handler = std::function<void(std::shared_ptr<http_exchange>)>;

  /// `context` is run by one thread, and outlives the server. Binds and listens. Throws
  /// `boost::system::system_error` that names the address if it cannot, `std::runtime_error` if the
  /// certificate or the key cannot be used.
  http_server(boost::asio::io_context& context, http_server_options options, handler handle);
  /// Serves the same address, with the same options, on another loop: each connection is on one of
  /// them, and their bounds are for all of them together; but only connections of the same loop
  /// make room for a new one. Throws likewise.
  http_server(boost::asio::io_context& context, const http_server& other, handler handle);
  /// Closes without patience. From then on the handler is not called, and exchanges that are left
  /// do nothing. Waits for the loop's thread, unless it is that thread or the loop has been stopped
  /// (and its thread joined).
  ~http_server();
  http_server(const http_server&) = delete;
  http_server& operator=(const http_server&) = delete;

  /// The port that is really listened on.
  std::uint16_t port() const noexcept;

  /// Graceful close: stops accepting, closes idle connections, lets exchanges that are under way be
  /// answered (with `Connection: close`) for at most `patience`, then closes what is left. `closed`
  /// is called once, on the loop's thread. May be called from any thread; a second call shortens
  /// the patience to its own. If the loop is stopped before it, `closed` is dropped.
  void close(std::chrono::milliseconds patience, std::function<void()> closed);

private:
  class impl;
  std::shared_ptr<impl> impl_;
};

} // namespace rolecall::net
