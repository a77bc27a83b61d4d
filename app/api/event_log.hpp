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

/// An event, as far as it is told. It is written once somebody reads it: most of the time nobody
/// does.
struct event_entry {
  std::uint64_t id{0};
  std::string type;
  shared<task_record> task; ///< without a large output; with "task"
  role_name role;           ///< of the agent; with "agent"
  std::string agent;        ///< what is told of it, as JSON; likewise
};

/// In the form of server-sent events.
std::shared_ptr<const std::string> to_text(const event_entry& event);

bool passes(const event_filter& filter, const event_entry& event);

/// The latest events, with ids that grow. Pure; bounded by their number and their size.
class event_log {
public:
  /// New events about tasks will have at least the number `first`, which is greater than any of
  /// earlier times. Of those up to `forgotten` not all can be told again.
  event_log(std::uint64_t first, std::uint64_t forgotten, std::size_t most)
      : last_id_{(first - 1) * ids_per_number}, dropped_{forgotten * ids_per_number}, most_{most} {}

  /// One that is replayed goes where it belongs.
  const event_entry& add(task_event event);
  const event_entry& add(const agent_event& event);

  std::uint64_t last_id() const noexcept { return last_id_; }

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

  // The id of an event about a task is its number times this, over restarts of the node too; those
  // about agents have the ids in between, as far as they go. Past them an event has no id, and is
  // told to whoever is there.
  static constexpr std::uint64_t ids_per_number = 4'096;

  const event_entry& keep(event_entry entry);

  std::uint64_t last_id_;
  std::uint64_t dropped_; // up to this id some are missing
  std::size_t most_;
  std::deque<event_entry> entries_; // in the order of their ids
  event_entry passing_;             // one without an id
  std::size_t bytes_{0};            // that they take
};

/// One server-sent event; `id` 0: without one. `data` is one line.
std::shared_ptr<const std::string> sse(std::uint64_t id, const std::string& type,
                                       const std::string& data);

} // namespace rolecall::api
