#include "app/client/event_parser.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace rolecall::client {

std::vector<server_event> event_parser::feed(std::string_view piece) {
  std::vector<server_event> events;
  while (!piece.empty() && !overflown_) {
    if (after_cr_) {
      after_cr_ = false;
      if (piece.front() == '\n') {
        piece.remove_prefix(1);
        continue;
      }
    }
    auto end = std::min(piece.find_first_of("\r\n"), piece.size());
    overflown_ = end > max_ - std::min(max_, line_.size() + data_.size());
    if (overflown_)
      break;
    line_ += piece.substr(0, end);
    piece.remove_prefix(end);
    if (piece.empty())
      break;
    after_cr_ = piece.front() == '\r';
    piece.remove_prefix(1);
    end_line(events);
  }
  return events;
}

void event_parser::end_line(std::vector<server_event>& events) {
  auto line = std::exchange(line_, {});
  std::string_view text{line};
  if (std::exchange(at_start_, false) && text.starts_with("\xEF\xBB\xBF"))
    text.remove_prefix(3);
  if (!text.empty()) {
    auto colon = text.find(':');
    auto value = colon == std::string_view::npos ? std::string_view{} : text.substr(colon + 1);
    if (value.starts_with(' '))
      value.remove_prefix(1);
    return take_field(text.substr(0, colon), value);
  }
  last_id_ = next_id_;
  auto type = std::exchange(type_, {});
  auto data = std::exchange(data_, {});
  if (std::exchange(has_data_, false))
    events.push_back({type.empty() ? "message" : std::move(type), std::move(data), last_id_});
}

void event_parser::take_field(std::string_view name, std::string_view value) {
  if (name == "event") {
    type_ = value;
  } else if (name == "data") {
    data_ += (has_data_ ? "\n" : "") + std::string{value};
    has_data_ = true;
  } else if (name == "id" && value.find('\0') == std::string_view::npos) {
    next_id_ = value;
  } else if (name == "retry") {
    std::uint32_t count = 0;
    auto [stop, wrong] = std::from_chars(value.data(), value.data() + value.size(), count);
    if (wrong == std::errc{} && stop == value.data() + value.size())
      retry_ = std::chrono::milliseconds{count};
  }
  // A comment has an empty name; all other names mean nothing, and neither is an error.
}

} // namespace rolecall::client
