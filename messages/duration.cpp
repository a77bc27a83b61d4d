#include "messages/duration.hpp"

#include <charconv>
#include <cmath>
#include <cstdio>

namespace rolecall {

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
  double count = 0;
  const auto* end = text.data() + text.size();
  auto [rest, error] = std::from_chars(text.data(), end, count, std::chars_format::fixed);
  if (error != std::errc{} || text.front() == '-')
    return std::nullopt;
  std::string_view unit{rest, static_cast<std::size_t>(end - rest)};
  double factor = 0;
  if (unit == "ms")
    factor = 1;
  else if (unit == "s")
    factor = 1'000;
  else if (unit == "m")
    factor = 60'000;
  else if (unit == "h")
    factor = 3'600'000;
  else if (unit == "d")
    factor = 86'400'000;
  constexpr double ten_years = 3'650.0 * 86'400'000;
  auto value = count * factor;
  if (factor == 0 || !std::isfinite(value) || value > ten_years)
    return std::nullopt;
  return std::chrono::milliseconds{std::llround(value)};
}

std::string format_duration(std::chrono::milliseconds value) {
  auto count = value.count();
  if (count != 0 && count % 3'600'000 == 0)
    return std::to_string(count / 3'600'000) + "h";
  if (count != 0 && count % 60'000 == 0)
    return std::to_string(count / 60'000) + "m";
  if (count < 1'000)
    return std::to_string(count) + "ms";
  char text[32];
  std::snprintf(text, sizeof text, "%.3f", static_cast<double>(count) / 1'000);
  std::string result{text};
  result.erase(result.find_last_not_of('0') + 1);
  if (result.back() == '.')
    result.pop_back();
  return result + "s";
}

} // namespace rolecall
