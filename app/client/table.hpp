#pragma once

#include <cstddef>
#include <limits>
#include <string>
#include <vector>

namespace rolecall::client {

/// One place in a table: its text, and perhaps the escape sequence of a colour for a terminal.
struct cell {
  std::string text;
  const char* colour{""};
};

/// Rows under a heading. Texts may hold anything: what would break a line is shown as blanks.
struct table {
  std::vector<std::string> heading;
  std::vector<std::vector<cell>> rows; ///< each as long as the heading
};

/// For a terminal: columns aligned, the widest cut until a line has at most `width` characters.
std::string aligned(const table& data, std::size_t width = std::numeric_limits<std::size_t>::max());

/// For a pipe: the heading and each row as a line, cells separated by tabs, nothing cut.
std::string tab_separated(const table& data);

/// Prints to stdout: aligned if that is a terminal, else tab-separated.
void print(const table& data);

} // namespace rolecall::client
