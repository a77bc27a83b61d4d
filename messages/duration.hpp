#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

/// Lengths of time as people write them: with a unit.
namespace rolecall {

/// Parses a duration: an integer or a decimal followed by a unit ("250ms", "1.5s", "2m", "1h").
/// None if it is anything else, negative, or longer than ten years.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

/// "250ms", "1.5s": the shortest text that `parse_duration` reads as the same value.
std::string format_duration(std::chrono::milliseconds value);

} // namespace rolecall
