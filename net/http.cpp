#include "net/http.hpp"

#include <algorithm>
#include <charconv>
#include <ctime>

namespace rolecall::net {

namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool same(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t'))
    text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t'))
    text.remove_suffix(1);
  return text;
}

int hex_value(char c) {
  if (c >= '0' && c <= '9')
    return c - '0';
  auto l = lower(c);
  return l >= 'a' && l <= 'f' ? l - 'a' + 10 : -1;
}

bool is_unreserved(char c) {
  return (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'z') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

/// Takes the port off the end of an authority; false if it is not a port.
bool split_port(std::string_view& authority, std::uint16_t& port) {
  auto colon = authority.rfind(':');
  if (colon == std::string_view::npos || authority.find(']', colon) != std::string_view::npos)
    return true;
  auto digits = authority.substr(colon + 1);
  authority = authority.substr(0, colon);
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  return error == std::errc{} && end == digits.data() + digits.size() && port != 0;
}

} // namespace

std::optional<std::string_view> find_header(const headers& all, std::string_view name) {
  for (const auto& [key, value] : all)
    if (same(key, name))
      return value;
  return std::nullopt;
}

std::string url::origin() const {
  auto bracketed = host.find(':') == std::string::npos ? host : "[" + host + "]";
  return scheme + "://" + bracketed + ":" + std::to_string(port);
}

std::string url::authority() const {
  auto bracketed = host.find(':') == std::string::npos ? host : "[" + host + "]";
  auto is_default = port == (scheme == "https" ? 443 : 80);
  return is_default ? bracketed : bracketed + ":" + std::to_string(port);
}

std::variant<url, std::string> parse_url(std::string_view text) {
  using result = std::variant<url, std::string>;
  auto fail = [](const char* why) { return result{std::in_place_index<1>, why}; };
  if (std::any_of(text.begin(), text.end(), [](unsigned char c) { return c <= 0x20 || c >= 0x7f; }))
    return fail("a URL has no white space, control or non-ASCII characters");
  auto colon = text.find("://");
  url parsed;
  if (colon != std::string_view::npos)
    parsed.scheme = std::string{text.substr(0, colon)};
  std::transform(parsed.scheme.begin(), parsed.scheme.end(), parsed.scheme.begin(), lower);
  if (parsed.scheme != "http" && parsed.scheme != "https")
    return fail("a URL that starts with http:// or https:// is expected");
  text.remove_prefix(colon + 3);
  auto end = std::min(text.find_first_of("/?#"), text.size());
  auto authority = text.substr(0, end);
  auto target = text.substr(end);
  if (target.find('#') != std::string_view::npos)
    return fail("a URL with a fragment (#) cannot be called");
  if (authority.find('@') != std::string_view::npos)
    return fail("user and password do not belong in a URL");
  parsed.port = parsed.scheme == "https" ? 443 : 80;
  if (!split_port(authority, parsed.port))
    return fail("the port must be a number from 1 to 65535");
  if (authority.size() > 2 && authority.front() == '[' && authority.back() == ']')
    authority = authority.substr(1, authority.size() - 2);
  else if (authority.find_first_of("[]:") != std::string_view::npos)
    return fail("the host is not valid");
  if (authority.empty())
    return fail("the host is missing");
  parsed.host = std::string{authority};
  if (!target.starts_with('/'))
    parsed.target = '/';
  parsed.target += target;
  return parsed;
}

std::optional<std::chrono::seconds> parse_retry_after(std::string_view value,
                                                      std::chrono::system_clock::time_point now) {
  value = trimmed(value);
  std::uint64_t seconds = 0;
  auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), seconds);
  constexpr std::uint64_t longest = 10ull * 365 * 86'400; // so that no arithmetic overflows
  if (end == value.data() + value.size() && !value.empty() && error != std::errc::invalid_argument)
    return std::chrono::seconds{error == std::errc{} ? std::min(seconds, longest) : longest};
  std::tm parts{};
  std::string text{value};
  const auto* rest = strptime(text.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  if (!rest || *rest != '\0')
    return std::nullopt;
  auto at = std::chrono::system_clock::from_time_t(timegm(&parts));
  auto wait = std::chrono::ceil<std::chrono::seconds>(at - now);
  return std::clamp(wait, std::chrono::seconds{0},
                    std::chrono::seconds{static_cast<std::int64_t>(longest)});
}

std::string encode_path_segment(std::string_view text) {
  static constexpr char digits[] = "0123456789ABCDEF";
  std::string result;
  for (char c : text) {
    if (is_unreserved(c)) {
      result += c;
      continue;
    }
    auto byte = static_cast<unsigned char>(c);
    result += '%';
    result += digits[byte >> 4];
    result += digits[byte & 15];
  }
  return result;
}

std::optional<std::string> decode_path_segment(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      result += text[i];
      continue;
    }
    if (i + 2 >= text.size())
      return std::nullopt;
    auto high = hex_value(text[i + 1]);
    auto low = hex_value(text[i + 2]);
    if (high < 0 || low < 0 || (high == 0 && low == 0))
      return std::nullopt;
    result += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return result;
}

} // namespace rolecall::net
