#include "app/client/retry_order.hpp"

#include <unordered_map>
#include <utility>

namespace rolecall::client {

bool causes_first(const std::vector<retry_candidate>& tasks,
                  const std::function<std::vector<std::string>(const std::string&)>& needs,
                  const std::function<bool(const std::string&)>& act) {
  struct state {
    const retry_candidate* task;
    bool seen{false}; // its dependencies are on the stack above it, or dealt with
    bool done{false};
  };
  std::unordered_map<std::string, state> states;
  for (const auto& task : tasks)
    states[task.id] = {&task};
  std::vector<std::string> stack; // of our own: chains may be long
  for (const auto& first : tasks) {
    stack.push_back(first.id);
    while (!stack.empty()) {
      auto id = stack.back();
      auto& at = states.at(id);
      if (!at.done && !at.seen && at.task->has_causes) {
        at.seen = true;
        for (auto& needed : needs(id))
          if (auto found = states.find(needed); found != states.end() && !found->second.seen)
            stack.push_back(std::move(needed));
        continue;
      }
      stack.pop_back();
      if (!std::exchange(at.done, true) && !act(id))
        return false;
    }
  }
  return true;
}

} // namespace rolecall::client
