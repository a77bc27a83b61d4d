#pragma once

#include "messages/tasks.hpp"

#include <string>

namespace rolecall {

/// In which members a task differs from one that is known under the same id, with both values:
/// "/priority: 1 there, 2 here; ...". Empty if it is the same task. How it was traced, and what it
/// does again, are not compared.
std::string difference(const task_spec& there, const task_spec& here);

} // namespace rolecall
