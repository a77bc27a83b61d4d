#include "actors/coordinator/trace_context.hpp"

#include <algorithm>

namespace rolecall {

bool is_traceparent(const std::string& text) {
  auto is_hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  if (text.size() < 55 || text[2] != '-' || text[35] != '-' || text[52] != '-')
    return false;
  auto is_id = [&](const std::string& id) {
    return std::all_of(id.begin(), id.end(), is_hex) &&
           id.find_first_not_of('0') != std::string::npos;
  };
  return is_id(trace_in(text)) && is_id(span_in(text));
}

std::string make_traceparent(const std::string& trace, const std::string& span) {
  return "00-" + trace + "-" + span + "-01";
}

std::string trace_in(const std::string& traceparent) {
  return traceparent.substr(3, 32);
}

std::string span_in(const std::string& traceparent) {
  return traceparent.substr(36, 16);
}

std::string hex(std::uint64_t number) {
  std::string text(16, '0');
  for (auto digit = text.rbegin(); digit != text.rend(); ++digit, number >>= 4)
    *digit = "0123456789abcdef"[number & 15];
  return text;
}

} // namespace rolecall
