#pragma once

#include "app/exit_codes.hpp"

#include <stdexcept>
#include <string>

namespace rolecall::client {

/// Why a command of a client ends: lines for people (what, where, how to mend it; never a secret),
/// and the exit code.
struct client_error : std::runtime_error {
  explicit client_error(const std::string& text, int code = exit_codes::failure)
      : std::runtime_error{text}, code{code} {}
  int code;
  unsigned status{0}; ///< of the node's answer, if that is what is wrong
};

/// The same for input that cannot be used, whoever found that out.
inline client_error wrong_input(const std::string& text) {
  return client_error{text, exit_codes::wrong_input};
}

} // namespace rolecall::client
