#include "net/request_head.hpp"

#include "net/syntax.hpp"

#include <algorithm>
#include <array>

namespace rolecall::net {

namespace {

constexpr std::array<std::string_view, 5> own_headers{"host", "content-length", "transfer-encoding",
                                                      "user-agent", "connection"};

bool is_own(std::string_view name) {
  return std::any_of(own_headers.begin(), own_headers.end(),
                     [&](auto own) { return same_without_case(own, name); });
}

} // namespace

std::string wrong_with(const http_request& request) {
  if (!is_token(request.method))
    return "the method is not a token";
  for (const auto& [name, value] : request.headers) {
    if (!is_token(name))
      return "a header's name is not a token";
    if (is_own(name))
      return "the header " + name + " is written by the client";
    if (!is_field_value(value))
      return "the value of the header " + name + " has control characters";
  }
  return {};
}

std::string request_head(const http_request& request, std::string_view target,
                         std::string_view authority, std::string_view user_agent) {
  std::string head;
  head.reserve(512);
  head.append(request.method).append(" ").append(target).append(" HTTP/1.1\r\nHost: ");
  head.append(authority).append("\r\nUser-Agent: ").append(user_agent).append("\r\n");
  for (const auto& [name, value] : request.headers)
    head.append(name).append(": ").append(value).append("\r\n");
  // RFC 9110, 8.6: methods that mean something by a body say so even if it is empty.
  const auto& method = request.method;
  if (request.body)
    head.append("Content-Length: ").append(std::to_string(request.body->size())).append("\r\n");
  else if (method == "POST" || method == "PUT" || method == "PATCH")
    head.append("Content-Length: 0\r\n");
  head.append("\r\n");
  return head;
}

} // namespace rolecall::net
