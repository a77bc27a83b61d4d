#pragma once

#include "messages/duration.hpp"

#include <string>

namespace rolecall {

/// For options that take a length of time: accepts those with a unit, refuses the rest with words.
inline std::string check_duration(const std::string& text) {
  auto value = parse_duration(text);
  return value && *value > std::chrono::milliseconds{0}
             ? ""
             : "\"" + text + "\" is not a duration greater than zero with a unit, like 30s or 2m";
}

} // namespace rolecall
