#pragma once

#include <string_view>
#include <vector>

namespace rolecall::api {

/// A file that is part of the program.
struct embedded_file {
  std::string_view name; ///< without its folder
  std::string_view type; ///< for Content-Type
  std::string_view content;
};

/// All of them. The list is made by app/embed.cmake.
const std::vector<embedded_file>& embedded_files();
/// The one with that name, or null.
const embedded_file* embedded(std::string_view name);

} // namespace rolecall::api
