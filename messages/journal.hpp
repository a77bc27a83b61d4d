#pragma once

#include "messages/tasks.hpp"

/// What is said between the coordinator and the journal, which keeps tasks on disk.
namespace rolecall {

/// A task as the journal keeps it: everything that is needed to go on with it after a crash.
struct journal_entry {
  shared<task_spec> spec;              ///< as it was submitted; of an acceptance only
  shared<task_record> record;          ///< as it stands
  std::vector<attempt_record> history; ///< the latest of its attempts
  std::uint32_t attempt{0};            ///< the latest number that was used
  std::uint32_t misses{0};             ///< attempts that do not count
  std::uint64_t accepted_event{0};     ///< number of the event that told of it first
  std::uint64_t event{0};              ///< number of the latest one

  bool operator==(const journal_entry&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, journal_entry& x) {
  return f(x.spec, x.record, x.history, x.attempt, x.misses, x.accepted_event, x.event);
}

/// What a journal has kept of earlier times.
struct journal_content {
  std::vector<journal_entry> entries; ///< in the order of their numbers
  std::uint64_t forgotten_event{0}; ///< events up to this one may be about tasks that are not there
};

/// What is to be put on disk, all of it or nothing.
struct journal_append {
  std::uint64_t ticket{0}; ///< chosen by the sender, growing
  bool acceptance{false};  ///< new tasks; else how known ones stand
  std::vector<journal_entry> entries;
  std::vector<std::uint64_t> forgotten; ///< numbers of tasks that are not kept any longer
  std::uint64_t forgotten_event{0};     ///< number of the latest event about one of those

  bool operator==(const journal_append&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, journal_append& x) {
  return f(x.ticket, x.acceptance, x.entries, x.forgotten, x.forgotten_event);
}

/// What has become of appends.
struct journal_news {
  std::uint64_t committed{0}; ///< every ticket up to this one is on disk, or has been refused
  /// Acceptances that could not be written, and will not be.
  std::vector<std::uint64_t> refused;
  failure trouble; ///< why those were refused, or nothing can be written; no code if all is well

  bool operator==(const journal_news&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, journal_news& x) {
  return f(x.committed, x.refused, x.trouble);
}

} // namespace rolecall
