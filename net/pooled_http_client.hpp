#pragma once

#include "net/http_client.hpp"

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

namespace rolecall::net {

struct http_client_options {
  std::size_t max_connections_per_origin{1'024};
  std::size_t max_waiting_per_origin{100'000};    ///< calls that wait for a connection
  std::size_t max_head_bytes{64u << 10};          ///< status line and headers of a response
  std::chrono::milliseconds idle_timeout{30'000}; ///< after which a pooled connection is closed
  std::string ca_file{};                          ///< PEM; empty: the system's certificate store
  std::string user_agent{"rolecall"};
};

/// HTTP/1.1 over TCP and TLS, with a pool of kept-alive connections per origin.
///
/// - A connection goes back to the pool only if the response was read to its end by its own framing
///   (length or chunks), keep-alive was agreed, and nothing came after it.
/// - If a *pooled* connection turns out to be dead before a single byte of the response has
/// arrived,
///   the call is repeated once on a fresh one. A call on a fresh connection is never repeated.
/// - TLS verifies chain and host name (SNI is sent); there is no way to switch that off.
/// - `done` of every call has been called when `shut_down` returns or, if that was called on the
///   loop's own thread, soon after. If the loop has been stopped, `shut_down` calls it itself. What
///   is started on a client that is shut down, with a loop that is stopped, is dropped.
/// - A request with a header that the client writes itself (`Transfer-Encoding` too) is refused
/// with
///   `http_errc::invalid_request`, as are control characters in methods, names and values.
/// - Messages name the host and the port and the cause, never a header's value or a body.
class pooled_http_client final : public http_client {
public:
  /// `context` is run by one thread, and outlives the client. Throws `std::runtime_error` if
  /// `options.ca_file` cannot be read or `options.user_agent` has control characters.
  pooled_http_client(boost::asio::io_context& context, http_client_options options);
  ~pooled_http_client() override;

  call_id start(http_request request, handler done) override;
  void cancel(call_id id) override;

  /// Ends all calls with `http_errc::shut_down`, closes all connections, refuses new calls.
  /// Idempotent; called by the destructor. May be called from any thread. Waits for the loop's
  /// thread unless it is that thread or the loop has been stopped (and its thread joined).
  void shut_down();

private:
  class impl;
  std::shared_ptr<impl> impl_;
};

} // namespace rolecall::net
