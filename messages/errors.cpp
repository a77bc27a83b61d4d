#include "messages/errors.hpp"

namespace rolecall {

std::string to_string(ec code) {
  switch (code) {
  case ec::invalid_task: return "invalid_task";
  case ec::duplicate_task: return "duplicate_task";
  case ec::unknown_task: return "unknown_task";
  case ec::unknown_role: return "unknown_role";
  case ec::unknown_skill: return "unknown_skill";
  case ec::unknown_agent: return "unknown_agent";
  case ec::stale_revision: return "stale_revision";
  case ec::queue_full: return "queue_full";
  case ec::no_agent: return "no_agent";
  case ec::service_unreachable: return "service_unreachable";
  case ec::spawn_refused: return "spawn_refused";
  case ec::connect_failed: return "connect_failed";
  case ec::tls_failed: return "tls_failed";
  case ec::connection_lost: return "connection_lost";
  case ec::timeout: return "timeout";
  case ec::http_status: return "http_status";
  case ec::protocol_error: return "protocol_error";
  case ec::too_large: return "too_large";
  case ec::agent_busy: return "agent_busy";
  case ec::agent_failed: return "agent_failed";
  case ec::worker_lost: return "worker_lost";
  case ec::canceled: return "canceled";
  case ec::shutting_down: return "shutting_down";
  case ec::task_not_retryable: return "task_not_retryable";
  case ec::at_maximum: return "at_maximum";
  case ec::unknown_dependency: return "unknown_dependency";
  case ec::dependency_cycle: return "dependency_cycle";
  case ec::dependency_failed: return "dependency_failed";
  case ec::deadline_exceeded: return "deadline_exceeded";
  case ec::node_stopped: return "node_stopped";
  case ec::storage_full: return "storage_full";
  case ec::node_unreachable: return "node_unreachable";
  }
  return "unknown_error";
}

} // namespace rolecall
