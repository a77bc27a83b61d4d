#include "actors/coordinator/trace_context.hpp"

#include <algorithm>

namespace rolecall {

bool is_traceparent(std::string_view text) {
  auto is_hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  if (text.size() < 55 || text[2] != '-' || text[35] != '-' || text[52] != '-')
    return false;
  auto is_id = [&](std::string_view id) {
    return std::all_of(id.begin(), id.end(), is_hex) &&
           id.find_first_not_of('0') != std::string_view::npos;
  };
  return is_id(trace_in(text)) && is_id(span_in(text));
}

std::string make_traceparent(std::string_view trace, std::string_view span) {
  std::string result;
  result.reserve(55);
  result.append("00-").append(trace).append("-").append(span).append("-01");
  return result;
}

std::string_view trace_in(std::string_view traceparent) {
  return traceparent.substr(3, 32);
}

std::string_view span_in(std::string_view traceparent) {
  return traceparent.substr(36, 16);
}

std::string hex(std::uint64_t number) {
  std::string text(16, '0');
  for (auto digit = text.rbegin(); digit != text.rend(); ++digit, number >>= 4)
    *digit = "0123456789abcdef"[number & 15];
  return text;
}

} // namespace rolecall
