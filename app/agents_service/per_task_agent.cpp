#include "app/agents_service/per_task_agent.hpp"

namespace rolecall::agents {

void per_task_agent::begin(const run_ptr& task) {
  auto self = std::static_pointer_cast<per_task_agent>(shared_from_this());
  auto output = std::make_shared<std::string>();
  process_handlers handlers;
  handlers.output = [self, task, output](std::string_view bytes) {
    *output += bytes;
    if (output->size() > self->role_.max_output_bytes)
      self->stop(task, self->output_too_large());
  };
  handlers.ended = [self, task, output](exit_status status) {
    if (status.signaled || status.number != 0)
      return self->finish(task, self->failure_of(*task->worker, status));
    if (output->size() > self->role_.max_output_bytes)
      return self->finish(task, self->output_too_large());
    self->finish(task, answer_from_output(*output));
  };
  auto started = processes_.start(command(task->request.task_id), std::move(handlers));
  if (auto* why = std::get_if<std::string>(&started))
    return finish(task, cannot_start(*why));
  task->worker = std::get<std::shared_ptr<process>>(started);
  task->worker->write(input_line(task->request));
  task->worker->close_input();
}

} // namespace rolecall::agents
