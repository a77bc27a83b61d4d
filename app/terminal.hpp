#pragma once

#include <cstddef>
#include <cstdio>
#include <string>

/// What the views on a terminal have in common.
namespace rolecall {

/// Columns and rows of the terminal that a stream leads to; 80 by 24 if it leads to none.
struct terminal_size {
  std::size_t columns{80};
  std::size_t rows{24};
};
terminal_size size_of(std::FILE* stream);

/// Whether somebody looks at it: a terminal, not a pipe or a file.
bool leads_to_terminal(std::FILE* stream);

/// `text` with a blank for each control character: whatever an agent says, it neither steers the
/// terminal nor breaks a line.
std::string printable(std::string text);

/// The number of characters (code points) of a UTF-8 text.
std::size_t characters(const std::string& text);

/// Printable, and cut to at most `width` characters.
std::string cut(std::string text, std::size_t width);

/// Printable, and cut or padded to exactly `width` characters.
std::string fit(std::string text, std::size_t width);

/// `text` without the escape sequences of colours.
std::string without_colours(const std::string& text);

} // namespace rolecall
