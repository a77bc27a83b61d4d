#include "messages/events.hpp"

#include "messages/service_answer.hpp"

namespace rolecall {

std::string to_string(agent_change change) {
  switch (change) {
  case agent_change::up: return "up";
  case agent_change::changed: return "changed";
  case agent_change::down: return "down";
  }
  return "unknown";
}

std::string to_string(service_question question) {
  switch (question) {
  case service_question::health: return "GET /health";
  case service_question::roles: return "GET /roles";
  case service_question::agents: return "GET /agents";
  case service_question::spawn: return "POST /agents";
  case service_question::retire: return "DELETE /agents/{id}";
  }
  return "unknown";
}

} // namespace rolecall
