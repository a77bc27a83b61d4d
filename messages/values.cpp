#include "messages/values.hpp"

namespace rolecall {

std::string to_string(agent_state state) {
  return state == agent_state::draining ? "draining" : "ready";
}

std::string to_string(task_state state) {
  switch (state) {
  case task_state::submitted: return "submitted";
  case task_state::working: return "working";
  case task_state::completed: return "completed";
  case task_state::failed: return "failed";
  case task_state::canceled: return "canceled";
  case task_state::rejected: return "rejected";
  }
  return "unknown";
}

bool is_terminal(task_state state) {
  return state != task_state::submitted && state != task_state::working;
}

std::string to_string(verdict value) {
  switch (value) {
  case verdict::completed: return "completed";
  case verdict::failed: return "failed";
  case verdict::retryable: return "retryable";
  case verdict::busy: return "busy";
  case verdict::canceled: return "canceled";
  }
  return "unknown";
}

} // namespace rolecall
