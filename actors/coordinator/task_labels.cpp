#include "actors/coordinator/task_labels.hpp"

namespace rolecall {

const std::string& label_of(const task_spec& task, const std::string& name) {
  static const std::string none;
  auto found = task.labels.find(name);
  return found == task.labels.end() ? none : found->second;
}

} // namespace rolecall
