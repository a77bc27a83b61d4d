#pragma once

#include "messages/events.hpp"
#include "messages/tasks.hpp"

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

namespace rolecall::api {

/// What a reader of events wants to see. What is empty does not restrict.
struct event_filter {
  std::set<std::string> types; ///< "task", "agent"
  task_id task;                ///< of this one only
  task_query tasks;            ///< role, states, labels, context; the role goes for agents too
};

/// An event as it goes out, and what filters look at.
struct event_entry {
  std::uint64_t id{0};
  std::string type;
  task_record task; ///< without its output; with "task"
  role_name role;
  std::shared_ptr<const std::string> text; ///< in the form of server-sent events
};

bool passes(const event_filter& filter, const event_entry& event);

/// The latest events, numbered. Pure; bounded by their number and their size.
class event_log {
public:
  /// `first` is the number of the first event. It must be greater than any that a reader can have
  /// from before.
  event_log(std::uint64_t first, std::size_t most) : next_{first}, most_{most} {}

  const event_entry& add(const task_event& event);
  const event_entry& add(const agent_event& event, const std::string& node);

  std::uint64_t last_id() const noexcept { return next_ - 1; }

  /// What comes after an event that somebody has seen, or the first part of it.
  struct missed {
    bool gap{false}; ///< some of it is not here any more
    std::uint64_t oldest{0};
    std::string text;       ///< of those that pass
    std::uint64_t up_to{0}; ///< the last one that was looked at
    bool terminal{false};   ///< the last of `text` is about a task that has ended
  };
  /// No more than about `max_bytes`.
  missed since(std::uint64_t id, const event_filter& filter, std::size_t max_bytes) const;

private:
  static constexpr std::size_t max_bytes_kept = 128u << 20;

  const event_entry& keep(event_entry entry);

  std::uint64_t next_;
  std::size_t most_;
  std::deque<event_entry> entries_;
  std::size_t bytes_{0}; // of their texts
};

/// One server-sent event; `id` 0: without one. `data` is one line.
std::shared_ptr<const std::string> sse(std::uint64_t id, const std::string& type,
                                       const std::string& data);

} // namespace rolecall::api
