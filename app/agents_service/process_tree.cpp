#include "app/agents_service/process_tree.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

namespace rolecall::agents {

namespace {

namespace fs = std::filesystem;

fs::path directory_of(pid_t pid) {
  return fs::path{"/proc"} / std::to_string(pid);
}

} // namespace

std::vector<pid_t> children_of(pid_t parent) {
  std::vector<pid_t> result;
  // Each thread has the list of the children that it forked, or that were reparented to it.
  std::error_code error;
  fs::directory_iterator threads{directory_of(parent) / "task", error};
  for (; !error && threads != fs::directory_iterator{}; threads.increment(error)) {
    std::ifstream list{threads->path() / "children"};
    std::copy(std::istream_iterator<pid_t>{list}, {}, std::back_inserter(result));
  }
  return result;
}

std::vector<pid_t> descendants_of(pid_t root) {
  auto result = children_of(root);
  for (std::size_t next = 0; next < result.size(); ++next)
    for (auto child : children_of(result[next]))
      // A process that is reparented while we read shows up in two lists.
      if (std::find(result.begin(), result.end(), child) == result.end())
        result.push_back(child);
  return result;
}

std::string environment_of(pid_t pid, std::string_view variable) {
  std::ifstream list{directory_of(pid) / "environ"};
  for (std::string entry; std::getline(list, entry, '\0');)
    if (entry.size() > variable.size() && entry.starts_with(variable) &&
        entry[variable.size()] == '=')
      return entry.substr(variable.size() + 1);
  return {};
}

} // namespace rolecall::agents
