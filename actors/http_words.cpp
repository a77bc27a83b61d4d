#include "actors/http_words.hpp"

#include "messages/json_codec.hpp"

#include <algorithm>

namespace rolecall {

std::string status_text(unsigned status) {
  auto text = "HTTP " + std::to_string(status);
  switch (status) {
  case 302: return text + " Found";
  case 400: return text + " Bad Request";
  case 401: return text + " Unauthorized";
  case 403: return text + " Forbidden";
  case 404: return text + " Not Found";
  case 408: return text + " Request Timeout";
  case 413: return text + " Content Too Large";
  case 425: return text + " Too Early";
  case 429: return text + " Too Many Requests";
  case 500: return text + " Internal Server Error";
  case 502: return text + " Bad Gateway";
  case 503: return text + " Service Unavailable";
  case 504: return text + " Gateway Timeout";
  default: return text;
  }
}

millis retry_after(const net::http_response& response) {
  auto value = net::find_header(response.headers, "Retry-After");
  if (!value)
    return millis{0};
  // A date needs the calendar's clock; the length of time that comes of it does not.
  auto wait = net::parse_retry_after(*value, std::chrono::system_clock::now());
  constexpr std::chrono::seconds longest{86'400};
  return std::min(wait.value_or(std::chrono::seconds{0}), longest);
}

error_body error_in(const std::string& body) {
  std::vector<problem> ignored;
  auto value = parse_json(body, {1u << 20, max_payload_depth}, ignored);
  if (!value || !value->is_object() || !value->contains("error"))
    return {};
  const auto& error = (*value)["error"];
  auto text = [&](const char* key) {
    auto found = error.is_object() ? error.find(key) : error.end();
    auto result = error.is_object() && found != error.end() && found->is_string()
                      ? found->get<std::string>()
                      : std::string{};
    constexpr std::size_t longest = 4'096;
    return result.size() > longest ? result.substr(0, longest) + "..." : result;
  };
  return {text("code"), text("message")};
}

} // namespace rolecall
