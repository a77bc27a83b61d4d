#pragma once

#include "app/api/event_log.hpp"
#include "net/http_server.hpp"

#include <functional>
#include <map>
#include <memory>

namespace rolecall::api {

/// Those who follow events. Who has missed some is fed from the log, no faster than it reads, and
/// joins the others at its end. A reader that does not take what happens is cut off; it comes back
/// with the last id that it has seen.
class event_readers {
public:
  /// `ask_for_more` has `feed` called: the reader with that id has taken most of what it was given.
  /// It is called on the event loop's thread.
  event_readers(std::size_t max_backlog_bytes, std::function<void(std::uint64_t)> ask_for_more)
      : max_backlog_{max_backlog_bytes}, ask_for_more_{std::move(ask_for_more)} {}

  /// `id` is the caller's. With `ends`, the stream is over after a terminal event of its task.
  void add(std::uint64_t id, std::shared_ptr<net::response_stream> stream, event_filter filter,
           bool ends);
  void remove(std::uint64_t id) { readers_.erase(id); }
  /// Ends a stream: there will be no further events.
  void finish(std::uint64_t id);

  /// Writes to one reader, whatever its filter.
  void write(std::uint64_t id, const std::shared_ptr<const std::string>& text);
  /// Has a reader fed with what came after an event that it has seen.
  void catch_up(std::uint64_t id, std::uint64_t seen, const event_log& log);
  /// Goes on with that.
  void feed(std::uint64_t id, const event_log& log);
  /// Writes to those who are up to date and whose filter lets it pass.
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
    std::optional<std::uint64_t> seen; ///< while it catches up
  };
  using readers = std::map<std::uint64_t, reader>;

  /// Gives whether the reader is still there.
  bool write(const reader& to, const std::shared_ptr<const std::string>& text);

  std::size_t max_backlog_;
  std::function<void(std::uint64_t)> ask_for_more_;
  readers readers_;
  std::uint64_t cut_off_{0};
};

} // namespace rolecall::api
