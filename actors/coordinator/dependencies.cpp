#include "actors/coordinator/dependencies.hpp"

#include <algorithm>
#include <unordered_map>

namespace rolecall {

std::optional<std::vector<task_id>> find_cycle(const std::vector<const task_spec*>& tasks) {
  // Depth first, with a stack of its own: chains may be long.
  enum class mark : std::uint8_t { fresh, on_path, done };
  struct node {
    const task_spec* task;
    mark state{mark::fresh};
  };
  struct step {
    node* at;
    std::size_t next{0}; // of its dependencies
  };
  std::unordered_map<task_id, node> nodes;
  for (const auto* task : tasks)
    nodes[task->id] = {task};
  std::vector<step> path;
  for (const auto* task : tasks) {
    auto& start = nodes.at(task->id);
    if (start.state != mark::fresh)
      continue;
    start.state = mark::on_path;
    path.push_back({&start});
    while (!path.empty()) {
      auto& [at, next] = path.back();
      if (next == at->task->depends_on.size()) {
        at->state = mark::done;
        path.pop_back();
        continue;
      }
      auto found = nodes.find(at->task->depends_on[next++]);
      if (found == nodes.end() || found->second.state == mark::done)
        continue;
      auto* to = &found->second;
      if (to->state == mark::on_path) {
        auto first = std::find_if(path.begin(), path.end(), [&](auto& s) { return s.at == to; });
        std::vector<task_id> cycle;
        for (; first != path.end(); ++first)
          cycle.push_back(first->at->task->id);
        return cycle;
      }
      to->state = mark::on_path;
      path.push_back({to});
    }
  }
  return std::nullopt;
}

failure because_of(const task_record& dependency) {
  constexpr std::size_t most = 1'000;
  constexpr std::size_t kept_in_front = 300;
  auto canceled = dependency.state == task_state::canceled;
  const auto& cause = dependency.error;
  auto text = "needs \"" + dependency.id.str() + "\", which was " + to_string(dependency.state);
  if (dependency.state == task_state::failed)
    text = "needs \"" + dependency.id.str() + "\", which failed";
  text += ": ";
  if (cause.kind != ec::dependency_failed && !canceled)
    text += cause.code + ": ";
  text += cause.message;
  if (text.size() > most) // both ends tell the most: what is next to it, and where it began
    text =
        text.substr(0, kept_in_front) + " … " + text.substr(text.size() - (most - kept_in_front));
  return {canceled ? ec::canceled : ec::dependency_failed, text};
}

} // namespace rolecall
