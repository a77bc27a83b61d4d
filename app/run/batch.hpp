#pragma once

#include "messages/json_reader.hpp"
#include "messages/values.hpp"

#include <variant>
#include <vector>

namespace rolecall {

/// A batch of tasks, and where in the file each of them stands (a JSON pointer, or "line 3").
struct batch {
  std::vector<task_spec> tasks;
  std::vector<std::string> where;
};

/// Reads `{"tasks":[...]}`, an array of tasks, or NDJSON (a task a line). Tasks without an id get
/// one ("task-1", by their place). Every problem of the text is told.
std::variant<batch, std::vector<problem>> parse_batch(std::string_view text);

/// What is wrong with a batch in the light of what can be run: roles and skills that nobody has.
std::vector<problem> check_roles(const batch& tasks, const role_directory& directory,
                                 const std::vector<agent_record>& agents);

} // namespace rolecall
