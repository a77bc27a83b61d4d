#include "net/response_head.hpp"

#include "net/syntax.hpp"

#include <boost/beast/http/status.hpp>

#include <algorithm>
#include <array>
#include <ctime>

namespace rolecall::net {

namespace {

bool is_own(std::string_view name) {
  static constexpr std::array<std::string_view, 4> own{"content-length", "date", "connection",
                                                       "transfer-encoding"};
  return std::any_of(own.begin(), own.end(),
                     [&](auto entry) { return same_without_case(entry, name); });
}

} // namespace

http_response error_response(unsigned status, std::string_view code, std::string_view message) {
  std::string body{R"({"error":{"code":")"};
  body.append(code).append(R"(","message":")").append(message).append(R"("}})");
  return {status, {{"Content-Type", "application/json"}}, std::move(body)};
}

bool is_sendable(const http_response& response) {
  return response.status >= 200 && response.status <= 999 &&
         std::all_of(response.headers.begin(), response.headers.end(), [](const auto& entry) {
           return is_token(entry.name) && is_field_value(entry.value);
         });
}

std::string response_head(const http_response& response, body_framing framing, after_response next,
                          std::string_view date) {
  namespace http = boost::beast::http;
  auto reason = http::obsolete_reason(http::int_to_status(response.status));
  std::string head;
  head.reserve(256);
  head.append("HTTP/1.1 ").append(std::to_string(response.status)).append(" ");
  head.append(reason.data(), reason.size()).append("\r\nDate: ").append(date).append("\r\n");
  for (const auto& [name, value] : response.headers)
    if (!is_own(name))
      head.append(name).append(": ").append(value).append("\r\n");
  if (framing == body_framing::chunked)
    head.append("Transfer-Encoding: chunked\r\n");
  else if (framing == body_framing::length && !is_bodiless(response.status))
    head.append("Content-Length: ").append(std::to_string(response.body.size())).append("\r\n");
  if (next == after_response::close)
    head.append("Connection: close\r\n");
  else if (next == after_response::keep_alive_1_0)
    head.append("Connection: keep-alive\r\n");
  head.append("\r\n");
  return head;
}

std::string http_date(std::chrono::system_clock::time_point now) {
  auto seconds = std::chrono::system_clock::to_time_t(now);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 64> text{};
  auto size = std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  return {text.data(), size};
}

} // namespace rolecall::net
