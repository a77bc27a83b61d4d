#pragma once

#include "app/agents_service/agent.hpp"

namespace rolecall::agents {

/// An agent that starts its command anew for each task. Between tasks it is nothing but an id.
class per_task_agent final : public agent {
public:
  using agent::agent;

private:
  void begin(const run_ptr& task) override;
};

} // namespace rolecall::agents
