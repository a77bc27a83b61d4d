#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace rolecall::client {

/// Some lines of a text, and where they stand in it.
struct line_piece {
  std::string text;                 ///< the lines, each with a line feed
  std::vector<std::size_t> numbers; ///< of each line in the whole text, from 1

  bool empty() const noexcept { return numbers.empty(); }
};

/// Cuts a text that comes in parts of any size into pieces of whole lines. Blank lines are left
/// out, and so is a byte-order mark; the others keep their numbers. Does no I/O.
class line_source {
public:
  static constexpr std::size_t piece_lines = 1'000;
  static constexpr std::size_t piece_bytes = 1u << 20;

  /// More of the text.
  void feed(std::string_view part) { buffer_ += part; }
  /// There is no more: a last line needs no line feed.
  void finish();

  /// The next lines, at most `piece_lines` of them and about `piece_bytes`; empty if no whole line
  /// is there.
  line_piece next();

  /// What has been fed and not been taken.
  std::size_t left() const noexcept { return buffer_.size() - taken_; }
  /// The number of the line that comes next.
  std::size_t line() const noexcept { return line_ + 1; }

private:
  std::string buffer_;
  std::size_t taken_{0};   ///< of the buffer
  std::size_t scanned_{0}; ///< of the buffer: no line feed from `taken_` to here
  std::size_t line_{0};    ///< lines taken
};

/// Whether the first line that is not blank is a task by itself, so that the text is NDJSON.
/// `first` is that line.
bool begins_ndjson(std::string_view first);

} // namespace rolecall::client
