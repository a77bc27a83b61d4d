#include "net/http.hpp"

#include "net/syntax.hpp"

#include <algorithm>
#include <charconv>
#include <ctime>

namespace rolecall::net {

namespace {

std::optional<std::chrono::system_clock::time_point> parse_http_date(const std::string& text) {
  // RFC 9110, 5.6.7: one format to write, and two old ones to read.
  for (const auto* format :
       {"%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %d %H:%M:%S %Y"}) {
    std::tm parts{};
    const auto* end = ::strptime(text.c_str(), format, &parts);
    if (end && *end == '\0')
      return std::chrono::system_clock::from_time_t(::timegm(&parts));
  }
  return std::nullopt;
}

int hex_value(char c) {
  int value = -1;
  std::from_chars(&c, &c + 1, value, 16);
  return value;
}

} // namespace

std::optional<std::string_view> find_header(const headers& all, std::string_view name) {
  for (const auto& entry : all)
    if (same_without_case(entry.name, name))
      return entry.value;
  return std::nullopt;
}

std::optional<std::chrono::seconds> parse_retry_after(std::string_view value,
                                                      std::chrono::system_clock::time_point now) {
  value = trim(value);
  if (value.empty())
    return std::nullopt;
  if (std::all_of(value.begin(), value.end(), is_digit)) {
    // Nine digits are thirty years: more is nonsense, and would overflow finer units.
    std::int64_t count = 0;
    if (value.size() > 9)
      return std::nullopt;
    std::from_chars(value.data(), value.data() + value.size(), count);
    return std::chrono::seconds{count};
  }
  auto date = parse_http_date(std::string{value});
  if (!date)
    return std::nullopt;
  if (*date <= now)
    return std::chrono::seconds{0};
  return std::chrono::ceil<std::chrono::seconds>(*date - now);
}

std::string encode_path_segment(std::string_view text) {
  static constexpr std::string_view digits = "0123456789ABCDEF";
  auto is_unreserved = [](char c) {
    return is_letter(c) || is_digit(c) || c == '-' || c == '.' || c == '_' || c == '~';
  };
  if (std::all_of(text.begin(), text.end(), is_unreserved))
    return std::string{text};
  std::string result;
  result.reserve(text.size());
  for (auto c : text) {
    auto byte = static_cast<unsigned char>(c);
    if (is_unreserved(c)) {
      result += c;
    } else {
      result += '%';
      result += digits[byte >> 4];
      result += digits[byte & 15];
    }
  }
  return result;
}

std::optional<std::string> decode_path_segment(std::string_view text) {
  if (text.find('%') == std::string_view::npos && text.find('\0') == std::string_view::npos)
    return std::string{text};
  std::string result;
  result.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    auto c = text[i];
    if (c == '%') {
      if (text.size() - i < 3)
        return std::nullopt;
      auto high = hex_value(text[i + 1]);
      auto low = hex_value(text[i + 2]);
      if (high < 0 || low < 0)
        return std::nullopt;
      c = static_cast<char>(high * 16 + low);
      i += 2;
    }
    if (c == '\0')
      return std::nullopt;
    result += c;
  }
  return result;
}

} // namespace rolecall::net
