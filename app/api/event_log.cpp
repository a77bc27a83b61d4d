#include "app/api/event_log.hpp"

#include "app/api/views.hpp"
#include "messages/json_codec.hpp"

namespace rolecall::api {

bool passes(const event_filter& filter, const event_entry& event) {
  if (!filter.types.empty() && !filter.types.contains(event.type))
    return false;
  if (!filter.task.empty())
    return event.type == "task" && event.task.id == filter.task;
  if (event.type == "task")
    return matches(filter.tasks, event.task);
  // States, labels and contexts are those of tasks: whoever filters by them wants no agents.
  const auto& tasks = filter.tasks;
  return tasks.states == 0 && tasks.labels.empty() && tasks.context_id.empty() &&
         (tasks.role.empty() || tasks.role == event.role);
}

const event_entry& event_log::add(const task_event& event) {
  event_entry entry;
  entry.type = "task";
  entry.task = event.task;
  entry.task.output = {};
  entry.role = event.task.role;
  entry.text = sse(next_, entry.type, dump(task_summary(event.task)));
  return keep(std::move(entry));
}

const event_entry& event_log::add(const agent_event& event, const std::string& node) {
  event_entry entry;
  entry.type = "agent";
  entry.role = event.agent.role;
  entry.text = sse(next_, entry.type,
                   dump(json{{"change", to_string(event.change)},
                             {"agent", agent_record_view(event.agent, node)}}));
  return keep(std::move(entry));
}

const event_entry& event_log::keep(event_entry entry) {
  entry.id = next_++;
  bytes_ += entry.text->size();
  while (!entries_.empty() && (entries_.size() >= most_ || bytes_ > max_bytes_kept)) {
    bytes_ -= entries_.front().text->size();
    entries_.pop_front();
  }
  entries_.push_back(std::move(entry));
  return entries_.back();
}

event_log::missed event_log::since(std::uint64_t id, const event_filter& filter,
                                   std::size_t max_bytes) const {
  missed result;
  auto oldest = next_ - entries_.size(); // numbers have no gaps
  result.oldest = oldest;
  result.gap = id + 1 < oldest || id >= next_;
  auto from = result.gap ? oldest : id + 1;
  result.up_to = from - 1;
  while (result.up_to + 1 < next_ && result.text.size() < max_bytes) {
    ++result.up_to;
    const auto& entry = entries_[static_cast<std::size_t>(result.up_to - oldest)];
    if (!passes(filter, entry))
      continue;
    result.text += *entry.text;
    result.terminal = entry.type == "task" && is_terminal(entry.task.state);
  }
  return result;
}

std::shared_ptr<const std::string> sse(std::uint64_t id, const std::string& type,
                                       const std::string& data) {
  std::string text;
  text.reserve(data.size() + type.size() + 48);
  if (id != 0)
    text += "id: " + std::to_string(id) + "\n";
  text += "event: " + type + "\ndata: " + data + "\n\n";
  return std::make_shared<const std::string>(std::move(text));
}

} // namespace rolecall::api
