#pragma once

#include "messages/values.hpp"

#include <filesystem>
#include <optional>
#include <string>

namespace rolecall {

/// The file name for a task's result: its id, percent-encoded where a file name needs it, ".json".
std::string result_file_name(const task_id& id);

/// Makes the folder if it is not there; gives what is wrong if that cannot be done.
std::optional<std::string> prepare_results(const std::filesystem::path& folder);

/// Writes the task's part of the report to its file, whole or not at all. Gives what is wrong.
std::optional<std::string> write_result(const std::filesystem::path& folder,
                                        const task_record& task);

} // namespace rolecall
