#pragma once

#include "messages/tasks.hpp"

#include <optional>
#include <vector>

/// Tasks that depend on each other. Pure.
namespace rolecall {

/// A circle among the dependencies of these tasks, if there is one: each depends on the next, the
/// last on the first. Takes time in proportion to the tasks and their dependencies.
std::optional<std::vector<task_id>> find_cycle(const std::vector<const task_spec*>& tasks);

/// The error of a task that does not run because of one that it depends on: with the chain of
/// causes, of bounded length.
failure because_of(const task_record& dependency);

} // namespace rolecall
