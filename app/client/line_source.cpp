#include "app/client/line_source.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace rolecall::client {

void line_source::finish() {
  if (left() > 0 && buffer_.back() != '\n')
    buffer_ += '\n';
}

line_piece line_source::next() {
  constexpr std::string_view byte_order_mark{"\xEF\xBB\xBF"};
  line_piece piece;
  while (piece.numbers.size() < piece_lines && piece.text.size() < piece_bytes) {
    auto end = buffer_.find('\n', std::max(taken_, scanned_));
    if (end == std::string::npos) {
      scanned_ = buffer_.size();
      break;
    }
    auto line = std::string_view{buffer_}.substr(taken_, end - taken_);
    taken_ = end + 1;
    if (++line_ == 1 && line.starts_with(byte_order_mark))
      line.remove_prefix(byte_order_mark.size());
    if (line.ends_with('\r'))
      line.remove_suffix(1);
    if (line.find_first_not_of(" \t") == std::string_view::npos)
      continue;
    piece.text.append(line);
    piece.text += '\n';
    piece.numbers.push_back(line_);
  }
  buffer_.erase(0, taken_);
  scanned_ -= std::min(scanned_, taken_);
  taken_ = 0;
  return piece;
}

bool begins_ndjson(std::string_view first) {
  if (first.find('{') != first.find_first_not_of(" \t"))
    return false;
  auto value = nlohmann::json::parse(first, nullptr, false);
  return value.is_object() && !value.contains("tasks");
}

} // namespace rolecall::client
