#pragma once

#include "messages/errors.hpp"
#include "messages/ids.hpp"
#include "messages/json_text.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <string>

/// What the values of all messages are made of.
namespace rolecall {

using millis = std::chrono::milliseconds;
using micros = std::chrono::microseconds;

/// A point in time as it is told to the outside: milliseconds since 1970-01-01 UTC by the wall
/// clock of the node that tells it; zero stands for none.
using unix_time = millis;

/// Skill → proficiency from 0 to 1.
using skill_map = std::map<std::string, double>;

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, failure& x) {
  return f(x.kind, x.code, x.message);
}

} // namespace rolecall
