#pragma once

#include "messages/tasks.hpp"

namespace rolecall {

/// The names of the labels of tasks that routing goes by.
struct task_labels {
  std::string fairness{"tenant"};  ///< tasks with the same value share the agents as one
  std::string task_class{"class"}; ///< tasks with the same value take comparable times
};

/// The task's label of that name; empty if it has none.
const std::string& label_of(const task_spec& task, const std::string& name);

} // namespace rolecall
