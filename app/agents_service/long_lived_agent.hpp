#pragma once

#include "app/agents_service/agent.hpp"

namespace rolecall::agents {

/// An agent that is one process: a line on its stdin for each task, a line on its stdout for each
/// answer, one task at a time. When the process ends, so does the agent.
class long_lived_agent final : public agent {
public:
  using agent::agent;

  /// Starts the process. Gives a text that says why if that cannot be done. `lost` is called when
  /// the process has ended without having been retired.
  std::optional<std::string> start(std::function<void()> lost);

  std::optional<pid_t> pid() const override;

private:
  void begin(const run_ptr& task) override;
  void end() override;
  void take_output(std::string_view bytes);
  void take_line(std::string_view line);
  void process_ended(exit_status status);

  std::shared_ptr<process> process_; ///< null before the start and after the end
  std::function<void()> lost_;
  std::string unfinished_line_; ///< at most `max_output_bytes`
};

} // namespace rolecall::agents
