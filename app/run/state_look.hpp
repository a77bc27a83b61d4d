#pragma once

#include "messages/values.hpp"

namespace rolecall {

/// How a task's state is shown on a terminal: a sign, a word, and the escape sequence of a colour.
/// The colour is never the only difference.
struct state_look {
  const char* sign;
  const char* word;
  const char* colour;
};

/// A task that waits for another attempt than its first looks different from one that is new.
inline state_look look_of(task_state state, std::uint32_t attempts) {
  switch (state) {
  case task_state::submitted:
    return attempts == 0 ? state_look{"·", "waiting", "\x1b[2m"}
                         : state_look{"↻", "retrying", "\x1b[33m"};
  case task_state::working: return {"▸", "working", "\x1b[36m"};
  case task_state::completed: return {"✓", "completed", "\x1b[32m"};
  case task_state::failed: return {"✗", "failed", "\x1b[31m"};
  case task_state::canceled: return {"–", "canceled", "\x1b[33m"};
  case task_state::rejected: return {"✗", "rejected", "\x1b[31m"};
  }
  return {"?", "unknown", ""};
}

} // namespace rolecall
