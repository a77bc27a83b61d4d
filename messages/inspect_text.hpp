#pragma once

#include <string>
#include <utility>

namespace rolecall {

/// How CAF reads and writes what holds one text that does not change: a `T` that gives it with
/// `str()` and is made of it.
template <class Inspector, class T>
typename Inspector::result_type inspect_text(Inspector& f, T& x) {
  if constexpr (Inspector::reads_state) {
    return f(const_cast<std::string&>(x.str()));
  } else {
    std::string text;
    auto result = f(text);
    x = T{std::move(text)};
    return result;
  }
}

} // namespace rolecall
