#pragma once

#include "app/api/event_log.hpp"
#include "net/http_server.hpp"

#include <map>
#include <memory>

namespace rolecall::api {

/// Those who follow events. A reader that does not take what is written for it is cut off; it comes
/// back with the last id that it has seen.
class event_readers {
public:
  explicit event_readers(std::size_t max_backlog_bytes) : max_backlog_{max_backlog_bytes} {}

  /// `id` is the caller's. With `ends`, the stream is over after a terminal event of its task.
  void add(std::uint64_t id, std::shared_ptr<net::response_stream> stream, event_filter filter,
           bool ends);
  void remove(std::uint64_t id) { readers_.erase(id); }
  /// Ends a stream: there will be no further events.
  void finish(std::uint64_t id);

  /// Writes to one reader, whatever its filter.
  void write(std::uint64_t id, const std::shared_ptr<const std::string>& text);
  /// Writes to those whose filter lets it pass.
  void tell(const event_entry& event);
  /// Keeps connections from being taken for dead.
  void keep_alive();

  std::size_t count() const noexcept { return readers_.size(); }
  std::uint64_t cut_off() const noexcept { return cut_off_; }

private:
  struct reader {
    std::shared_ptr<net::response_stream> stream;
    event_filter filter;
    bool ends;
  };
  using readers = std::map<std::uint64_t, reader>;

  /// Gives whether the reader is still there.
  bool write(const reader& to, const std::shared_ptr<const std::string>& text);

  std::size_t max_backlog_;
  readers readers_;
  std::uint64_t cut_off_{0};
};

} // namespace rolecall::api
