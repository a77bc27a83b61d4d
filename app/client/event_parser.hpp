#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rolecall::client {

/// One server-sent event.
struct server_event {
  std::string type{"message"}; ///< of its `event:` line
  std::string data;            ///< its `data:` lines, joined by line feeds
  std::string id;              ///< the last id that the stream has named, with or before it
};

/// Reads an event stream (WHATWG HTML, 9.2.6) from pieces that may end anywhere. Does no I/O.
class event_parser {
public:
  /// `max_event_bytes` bounds one event, and one line.
  explicit event_parser(std::size_t max_event_bytes = 64u << 20) : max_{max_event_bytes} {}

  /// The events that `piece` completes. After the bound is broken, `overflown` is true and there
  /// are no more.
  std::vector<server_event> feed(std::string_view piece);

  bool overflown() const noexcept { return overflown_; }
  /// The last id that was named by a whole event; it stays over events that name none.
  const std::string& last_id() const noexcept { return last_id_; }
  /// How long to wait before connecting anew, if the server said so.
  std::optional<std::chrono::milliseconds> retry() const noexcept { return retry_; }

private:
  void end_line(std::vector<server_event>& events);
  void take_field(std::string_view name, std::string_view value);

  std::size_t max_;
  std::string line_;     ///< the part of a line that has come
  bool after_cr_{false}; ///< a line feed that comes next belongs to the line that has ended
  bool at_start_{true};  ///< a byte-order mark may come
  bool overflown_{false};
  bool has_data_{false}; ///< `data_` has a line, perhaps an empty one
  std::string type_;
  std::string data_;
  std::string next_id_; ///< of the event that is being read: it counts once that is whole
  std::string last_id_;
  std::optional<std::chrono::milliseconds> retry_;
};

} // namespace rolecall::client
