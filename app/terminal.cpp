#include "app/terminal.hpp"

#include <algorithm>

#include <sys/ioctl.h>
#include <unistd.h>

namespace rolecall {

namespace {

bool starts_character(char c) {
  return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
}

} // namespace

terminal_size size_of(std::FILE* stream) {
  winsize size{};
  if (ioctl(fileno(stream), TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0)
    return {};
  return {size.ws_col, size.ws_row};
}

bool leads_to_terminal(std::FILE* stream) {
  return isatty(fileno(stream)) == 1;
}

std::string printable(std::string text) {
  std::string result;
  result.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    auto byte = static_cast<unsigned char>(text[i]);
    // U+0080 to U+009F, two bytes in UTF-8, steer some terminals too.
    auto next = i + 1 < text.size() ? static_cast<unsigned char>(text[i + 1]) : 0;
    if (byte == 0xc2 && next >= 0x80 && next < 0xa0) {
      result += ' ';
      ++i;
    } else {
      result += byte < 0x20 || byte == 0x7f ? ' ' : text[i];
    }
  }
  return result;
}

std::size_t characters(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), starts_character));
}

std::string cut(std::string text, std::size_t width) {
  text = printable(std::move(text));
  std::size_t count = 0;
  for (std::size_t i = 0; i < text.size(); ++i)
    if (starts_character(text[i]) && count++ == width) {
      text.resize(i);
      break;
    }
  return text;
}

std::string fit(std::string text, std::size_t width) {
  text = cut(std::move(text), width);
  auto have = characters(text);
  return have < width ? text + std::string(width - have, ' ') : text;
}

std::string without_colours(const std::string& text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i)
    if (text[i] == '\x1b')
      i = std::min(text.find('m', i), text.size() - 1);
    else
      result += text[i];
  return result;
}

} // namespace rolecall
