#pragma once

#include <array>
#include <string_view>

/// The small words of RFC 9110's grammar, independent of any locale.
namespace rolecall::net {

constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
constexpr bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
constexpr char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

/// Control characters, DEL among them.
constexpr bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

namespace detail {

constexpr auto token_chars = [] {
  std::array<bool, 256> result{};
  for (std::size_t c = 0; c < 128; ++c)
    result[c] = is_letter(static_cast<char>(c)) || is_digit(static_cast<char>(c));
  for (auto c : std::string_view{"!#$%&'*+-.^_`|~"})
    result[static_cast<unsigned char>(c)] = true;
  return result;
}();

} // namespace detail

/// A character of a method or of a header's name.
constexpr bool is_token_char(char c) {
  return detail::token_chars[static_cast<unsigned char>(c)];
}

constexpr bool is_token(std::string_view text) {
  for (auto c : text)
    if (!is_token_char(c))
      return false;
  return !text.empty();
}

/// Whether `text` may stand as a header's value: no line breaks, no NUL, nothing that hides one.
constexpr bool is_field_value(std::string_view text) {
  // Without a way out, so that the compiler looks at many of them at a time.
  unsigned char bad = 0;
  for (auto c : text) {
    auto byte = static_cast<unsigned char>(c);
    bad |= static_cast<unsigned char>(((byte < 0x20) & (byte != '\t')) | (byte == 0x7f));
  }
  return bad == 0;
}

constexpr bool same_without_case(std::string_view a, std::string_view b) {
  if (a.size() != b.size())
    return false;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (lower(a[i]) != lower(b[i]))
      return false;
  return true;
}

/// `text` without blanks and tabs at its ends.
constexpr std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t'))
    text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t'))
    text.remove_suffix(1);
  return text;
}

/// Whether the comma-separated `list` has `member` among its elements, compared without case.
constexpr bool list_contains(std::string_view list, std::string_view member) {
  while (true) {
    auto comma = list.find(',');
    if (same_without_case(trim(list.substr(0, comma)), member))
      return true;
    if (comma == std::string_view::npos)
      return false;
    list.remove_prefix(comma + 1);
  }
}

} // namespace rolecall::net
