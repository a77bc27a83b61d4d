#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

/// HTTP/1.1 as values: what the client and the server of this folder take and give.
namespace rolecall::net {

struct header {
  std::string name;
  std::string value;
};
using headers = std::vector<header>;

/// The value of the first header called `name` (compared without case), if there is one.
std::optional<std::string_view> find_header(const headers& all, std::string_view name);

/// An absolute `http` or `https` URL, taken apart.
struct url {
  std::string scheme;    ///< "http" or "https", lower case
  std::string host;      ///< without the brackets of an IPv6 literal
  std::uint16_t port{0}; ///< the scheme's default where the text named none
  std::string target;    ///< path and query, at least "/"

  /// "scheme://host:port", the key under which connections are pooled.
  std::string origin() const;
  /// The value of the Host header: the port is left out where it is the scheme's default.
  std::string authority() const;
};

/// Parses an absolute URL. Gives a text that says what is wrong with it if it is not one that we
/// can call: another scheme, no host, user info (a secret in a URL ends up in logs), a fragment, a
/// port out of range, white space or control characters.
std::variant<url, std::string> parse_url(std::string_view text);

/// The length of time that a `Retry-After` value asks for, in either form of RFC 9110 (seconds or
/// an HTTP date, which is compared with `now`). A date in the past gives zero; nonsense gives none.
std::optional<std::chrono::seconds> parse_retry_after(std::string_view value,
                                                      std::chrono::system_clock::time_point now);

/// Percent-encodes everything but the unreserved characters of RFC 3986, for one path segment.
std::string encode_path_segment(std::string_view text);

/// Decodes percent-escapes. None if an escape is broken or the result holds a NUL.
std::optional<std::string> decode_path_segment(std::string_view text);

/// Request as the client sends it. `Host`, `Content-Length`, `User-Agent` and `Connection` are
/// written by the client.
struct http_request {
  std::string method{"GET"};
  std::string url{};
  net::headers headers{};
  std::shared_ptr<const std::string> body{};        ///< null: no body. Shared, never copied
  std::chrono::milliseconds connect_timeout{5'000}; ///< name look-up, TCP connect, TLS handshake
  std::chrono::milliseconds timeout{60'000};        ///< everything, the wait for a connection too
  std::size_t max_body_bytes{64u << 20};            ///< of the response, after de-chunking

  /// For a response that is read while it comes, and may go on for ever: gets each piece of a 2xx
  /// response's body as it arrives, on the loop's thread, until `done` of the call. It must not
  /// block or throw; it may cancel the call. With it
  /// - the body of a 2xx response is empty, and `max_body_bytes` is for other responses only;
  /// - `timeout` is the longest silence: it starts anew with each piece.
  std::function<void(std::string_view)> on_data{};
};

struct http_response {
  unsigned status{0};
  net::headers headers{};
  std::string body{};
  /// Told by the client: from the start of the call (look-up and connection included) to the first
  /// byte of the answer; 0 if none came.
  std::chrono::microseconds first_byte{0};
};

/// Why there is no response.
enum class http_errc {
  invalid_request, ///< the URL or a header cannot be sent
  connect_failed,  ///< name not found, refused, unreachable, connect timeout
  tls_failed,      ///< handshake or verification of the certificate
  timeout,         ///< the total deadline passed
  connection_lost, ///< closed before the whole response was there
  malformed,       ///< what came is not HTTP/1.x, or its head is over the limit
  too_large,       ///< the response's body is over `max_body_bytes`
  canceled,        ///< `cancel` was called
  overloaded,      ///< too many calls wait for a connection to this origin
  shut_down        ///< the client has been shut down
};

struct http_failure {
  http_errc code{};
  std::string message; ///< for people: what, where, and the cause as the system words it
  /// What had come of the response by then: the status is 0 if not even its head had, the body is
  /// as far as it came. Chunks are decoded; nothing is kept of what is over a limit.
  http_response partial{};
};

using http_result = std::variant<http_response, http_failure>;

} // namespace rolecall::net
