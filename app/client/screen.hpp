#pragma once

#include "app/terminal.hpp"

#include <string>
#include <vector>

#include <termios.h>

namespace rolecall::client {

/// The terminal's other screen, for a picture that is drawn in place. While it lives, keys come one
/// by one and are not shown; afterwards the terminal is as it was.
class screen {
public:
  screen();
  ~screen();
  screen(const screen&) = delete;
  screen& operator=(const screen&) = delete;

  /// Whether keys can be read: stdin is a terminal.
  bool has_keys() const noexcept { return has_keys_; }
  /// The keys that have been pressed since the last call.
  std::string keys();
  void show(const std::vector<std::string>& lines);

private:
  bool has_keys_;
  termios before_{};
};

} // namespace rolecall::client
