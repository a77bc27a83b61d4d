#pragma once

#include "net/http.hpp"

#include <chrono>
#include <string>
#include <string_view>

namespace rolecall::net {

/// A response that the server itself gives: {"error":{"code":...,"message":...}} as JSON. Both
/// texts are constants of the program and need no escapes.
http_response error_response(unsigned status, std::string_view code, std::string_view message);

/// Whether a response can be sent as it is: a status from 200 to 999, and no header that would
/// change the shape of the message.
bool is_sendable(const http_response& response);

/// Whether a response with this status has no body, whatever was asked.
constexpr bool is_bodiless(unsigned status) {
  return status == 204 || status == 304;
}

/// How the connection goes on after a response, in the words of its Connection header.
enum class after_response { close, keep_alive, keep_alive_1_0 };

/// How a client knows where the body of a response ends.
enum class body_framing {
  length,  ///< by its length
  chunked, ///< by the last chunk
  close    ///< by the end of the connection
};

/// The status line and the headers, with the empty line that ends them. `Content-Length`, `Date`,
/// `Connection` and `Transfer-Encoding` of the response's own headers are left out: they are
/// written here. `date` is an HTTP date.
std::string response_head(const http_response& response, body_framing framing, after_response next,
                          std::string_view date);

/// `now` as RFC 9110 writes it, "Sun, 06 Nov 1994 08:49:37 GMT".
std::string http_date(std::chrono::system_clock::time_point now);

} // namespace rolecall::net
