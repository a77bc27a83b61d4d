#include "app/client/screen.hpp"

#include <cstdio>

#include <poll.h>
#include <unistd.h>

namespace rolecall::client {

namespace {

void write_out(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

} // namespace

screen::screen()
    : has_keys_{::isatty(STDIN_FILENO) == 1 && ::tcgetattr(STDIN_FILENO, &before_) == 0} {
  if (has_keys_) {
    auto raw = before_;
    raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    raw.c_cc[VMIN] = 0;
    raw.c_cc[VTIME] = 0;
    raw.c_cc[VSUSP] = _POSIX_VDISABLE; // stopped, it would leave the terminal as it is now
    ::tcsetattr(STDIN_FILENO, TCSANOW, &raw);
  }
  write_out("\x1b[?1049h\x1b[?25l\x1b[2J");
}

screen::~screen() {
  write_out("\x1b[?25h\x1b[?1049l");
  if (has_keys_)
    ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
}

std::string screen::keys() {
  if (!has_keys_)
    return {};
  pollfd wanted{STDIN_FILENO, POLLIN, 0};
  char buffer[64];
  if (::poll(&wanted, 1, 0) <= 0)
    return {};
  auto count = ::read(STDIN_FILENO, buffer, sizeof buffer);
  return count > 0 ? std::string(buffer, static_cast<std::size_t>(count)) : std::string{};
}

void screen::show(const std::vector<std::string>& lines) {
  // Each line is written over the old one, so that nothing flickers.
  std::string text = "\x1b[H";
  for (std::size_t i = 0; i < lines.size(); ++i)
    text += (i == 0 ? "" : "\r\n") + lines[i] + "\x1b[K";
  write_out(text + "\x1b[J");
}

} // namespace rolecall::client
