#include "app/api/event_log.hpp"

#include "app/api/views.hpp"
#include "messages/json_codec.hpp"

#include <algorithm>

namespace rolecall::api {

namespace {

constexpr std::size_t small_output = 1'024; // of a task: costs less than a copy of the rest

std::size_t size_of(const event_entry& entry) {
  const auto& task = *entry.task;
  auto result = sizeof(event_entry) + sizeof(task_record) + entry.agent.size() +
                task.output.str().size() + task.context_id.size() + task.traceparent.size() +
                task.error.code.size() + task.error.message.size();
  for (const auto& [name, value] : task.labels)
    result += name.size() + value.size();
  return result;
}

} // namespace

bool passes(const event_filter& filter, const event_entry& event) {
  if (!filter.types.empty() && !filter.types.contains(event.type))
    return false;
  if (!filter.task.empty())
    return event.type == "task" && event.task->id == filter.task;
  if (event.type == "task")
    return matches(filter.tasks, *event.task);
  // States, labels and contexts are those of tasks: whoever filters by them wants no agents.
  const auto& tasks = filter.tasks;
  return tasks.states == 0 && tasks.labels.empty() && tasks.context_id.empty() &&
         (tasks.role.empty() || tasks.role == event.role);
}

const event_entry& event_log::add(task_event event) {
  event_entry entry;
  entry.type = "task";
  entry.task = std::move(event.task);
  if (entry.task->output.str().size() > small_output)
    entry.task.edit().output = {};
  entry.id = event.number * ids_per_number;
  return keep(std::move(entry));
}

const event_entry& event_log::add(const agent_event& event) {
  event_entry entry;
  entry.type = "agent";
  entry.role = event.agent.role;
  if ((last_id_ + 1) % ids_per_number != 0)
    entry.id = last_id_ + 1;
  entry.agent =
      dump(json{{"change", to_string(event.change)}, {"agent", agent_record_view(event.agent)}});
  return keep(std::move(entry));
}

const event_entry& event_log::keep(event_entry entry) {
  if (entry.id == 0)
    return passing_ = std::move(entry);
  last_id_ = std::max(last_id_, entry.id);
  bytes_ += size_of(entry);
  while (!entries_.empty() && (entries_.size() >= most_ || bytes_ > max_bytes_kept)) {
    dropped_ = std::max(dropped_, entries_.front().id);
    bytes_ -= size_of(entries_.front());
    entries_.pop_front();
  }
  auto before = [](std::uint64_t id, const event_entry& other) { return id < other.id; };
  auto at = std::upper_bound(entries_.begin(), entries_.end(), entry.id, before);
  return *entries_.insert(at, std::move(entry));
}

event_log::missed event_log::since(std::uint64_t id, const event_filter& filter,
                                   std::size_t max_bytes) const {
  missed result;
  result.oldest = entries_.empty() ? last_id_ : entries_.front().id;
  result.gap = id < dropped_ || id > last_id_;
  auto after = [](std::uint64_t seen, const event_entry& entry) { return seen < entry.id; };
  auto next =
      result.gap ? entries_.begin() : std::upper_bound(entries_.begin(), entries_.end(), id, after);
  result.up_to = id;
  for (; next != entries_.end() && result.text.size() < max_bytes; ++next) {
    const auto& entry = *next;
    result.up_to = entry.id;
    if (!passes(filter, entry))
      continue;
    result.text += *to_text(entry);
    result.terminal = entry.type == "task" && is_terminal(entry.task->state);
  }
  if (next == entries_.end())
    result.up_to = last_id_;
  return result;
}

std::shared_ptr<const std::string> to_text(const event_entry& event) {
  return sse(event.id, event.type, event.type == "task" ? task_summary(*event.task) : event.agent);
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
