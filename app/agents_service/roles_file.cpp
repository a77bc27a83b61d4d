#include "app/agents_service/roles_file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <string>
#include <system_error>

#include <unistd.h>

namespace rolecall::agents {

namespace {

namespace fs = std::filesystem;
using json = nlohmann::json;

constexpr json_limits file_limits{1u << 20, 16};
constexpr std::size_t max_roles = 1'000;
constexpr std::size_t max_words = 1'024;

std::string quoted(const fs::path& path) {
  return '"' + path.string() + '"';
}

/// Why a file cannot be executed; empty if it can.
std::string execute_problem(const fs::path& program) {
  std::error_code error;
  if (!fs::exists(program, error))
    return quoted(program) + " does not exist";
  if (!fs::is_regular_file(program, error))
    return quoted(program) + " is not a file";
  if (::access(program.c_str(), X_OK) != 0)
    return quoted(program) + " is not executable (chmod +x)";
  return {};
}

/// Finds the program that the first word of a command names. Complains if there is none.
fs::path find_program(const std::string& word, const fs::path& folder, const std::string& where,
                      std::vector<problem>& problems) {
  if (word.find('/') != std::string::npos) {
    auto program = (folder / word).lexically_normal();
    if (auto wrong = execute_problem(program); !wrong.empty())
      problems.push_back({where, wrong});
    return program;
  }
  const char* path = std::getenv("PATH");
  std::istringstream folders{path ? path : "/usr/local/bin:/usr/bin:/bin"};
  for (std::string candidate; std::getline(folders, candidate, ':');)
    if (auto program = fs::absolute(fs::path{candidate.empty() ? "." : candidate} / word);
        execute_problem(program).empty())
      return program;
  problems.push_back({where, "\"" + word + "\" is not found in PATH; to name a file beside the " +
                                 "roles file, write \"./" + word + "\""});
  return {};
}

/// Words may be empty and have line breaks, as in ["sh", "-c", "..."]; only a NUL cannot be passed.
std::vector<std::string> read_command(object_reader& entry, std::vector<problem>& problems) {
  std::vector<std::string> words;
  const auto* array = entry.required("command");
  if (!array)
    return words;
  if (!array->is_array() || array->empty() || array->size() > max_words) {
    entry.complain("command", "must be an array of 1 to " + std::to_string(max_words) +
                                  " strings, the program first");
    return words;
  }
  for (std::size_t i = 0; i < array->size(); ++i) {
    const auto& word = (*array)[i];
    auto where = pointer_child(entry.at("command"), std::to_string(i));
    if (!word.is_string())
      problems.push_back({where, std::string{"must be a string, not "} + word.type_name()});
    else if (word.get_ref<const std::string&>().find('\0') != std::string::npos)
      problems.push_back({where, "has a NUL character"});
    else if (i == 0 && word.get_ref<const std::string&>().empty())
      problems.push_back({where, "must not be empty"});
    else
      words.push_back(word.get<std::string>());
  }
  if (words.size() != array->size())
    words.clear();
  return words;
}

std::map<std::string, double> read_skills(object_reader& entry, std::vector<problem>& problems) {
  std::map<std::string, double> result;
  const auto* object = entry.object("skills");
  if (!object)
    return result;
  object_reader skills{*object, entry.at("skills"), problems};
  for (const auto& [name, unused] : object->items()) {
    if (auto wrong = name_problem(name, 256))
      skills.complain(name, *wrong);
    else if (auto level = skills.number(name, 0, 1))
      result.emplace(name, *level);
  }
  return result;
}

std::map<std::string, std::string> read_environment(object_reader& entry,
                                                    std::vector<problem>& problems) {
  std::map<std::string, std::string> result;
  const auto* object = entry.object("environment");
  if (!object)
    return result;
  object_reader variables{*object, entry.at("environment"), problems};
  for (const auto& [name, unused] : object->items()) {
    auto value = variables.string(name, 128u << 10);
    if (name.empty() || name.find('=') != std::string::npos || name.find('\0') != std::string::npos)
      variables.complain(name, "is not a name that a variable can have");
    else if (value && value->find('\0') != std::string::npos)
      variables.complain(name, "has a NUL character");
    else if (value)
      result.emplace(name, *value);
  }
  return result;
}

process_mode read_mode(object_reader& entry) {
  auto text = entry.string("mode");
  if (!text || *text == "per_task")
    return process_mode::per_task;
  if (*text != "per_agent")
    entry.complain("mode", "must be \"per_task\" (a process for each task) or \"per_agent\" " +
                               std::string{"(one process, a line for each task), not \""} + *text +
                               '"');
  return process_mode::per_agent;
}

std::size_t read_count(object_reader& entry, std::string_view key, std::int64_t max,
                       std::size_t standard) {
  auto value = entry.integer(key, 1, max);
  return value ? static_cast<std::size_t>(*value) : standard;
}

fs::path read_directory(object_reader& entry, const fs::path& folder, const fs::path& started_in) {
  auto text = entry.name("directory", 4'096);
  if (!text)
    return started_in;
  auto result = (folder / *text).lexically_normal();
  std::error_code error;
  if (!fs::is_directory(result, error))
    entry.complain("directory", quoted(result) + " is not a directory");
  return result;
}

role read_role(const json& value, const std::string& where, const fs::path& folder,
               const fs::path& started_in, std::vector<problem>& problems) {
  role result;
  object_reader entry{value, where, problems};
  result.name = entry.required_name("role").value_or("");
  result.command = read_command(entry, problems);
  if (!result.command.empty())
    result.program = find_program(result.command.front(), folder,
                                  pointer_child(entry.at("command"), "0"), problems);
  result.skills = read_skills(entry, problems);
  result.mode = read_mode(entry);
  result.max_concurrency = read_count(entry, "max_concurrency", 1'000, result.max_concurrency);
  if (result.mode == process_mode::per_agent && result.max_concurrency != 1)
    entry.complain("max_concurrency", "must be 1 where \"mode\" is \"per_agent\": the lines that "
                                      "answer would not tell which task they belong to");
  result.directory = read_directory(entry, folder, started_in);
  result.environment = read_environment(entry, problems);
  result.timeout = entry.duration("timeout", std::chrono::milliseconds{1}).value_or(result.timeout);
  result.max_agents = read_count(entry, "max_agents", 10'000, result.max_agents);
  result.max_output_bytes = read_count(entry, "max_output", 1 << 30, result.max_output_bytes);
  entry.finish();
  return result;
}

} // namespace

std::optional<std::vector<role>> read_roles(std::string_view text, const fs::path& folder,
                                            const fs::path& started_in,
                                            std::vector<problem>& problems) {
  auto before = problems.size();
  std::vector<role> result;
  auto document = parse_json(text, file_limits, problems);
  if (!document)
    return std::nullopt;
  object_reader root{*document, "", problems};
  const auto* entries = root.required("roles");
  if (entries && (!entries->is_array() || entries->empty() || entries->size() > max_roles))
    root.complain("roles", "must be an array of 1 to " + std::to_string(max_roles) + " roles");
  else if (entries)
    for (std::size_t i = 0; i < entries->size(); ++i)
      result.push_back(read_role((*entries)[i], pointer_child("/roles", std::to_string(i)), folder,
                                 started_in, problems));
  root.finish();
  std::set<std::string> names;
  for (std::size_t i = 0; i < result.size(); ++i)
    if (!result[i].name.empty() && !names.insert(result[i].name).second)
      problems.push_back(
          {"/roles/" + std::to_string(i) + "/role", "\"" + result[i].name + "\" is there already"});
  if (problems.size() != before)
    return std::nullopt;
  return result;
}

std::optional<std::vector<role>> load_roles_file(const fs::path& file,
                                                 std::vector<problem>& problems) {
  std::ifstream in{file, std::ios::binary};
  std::error_code error;
  if (!in || fs::is_directory(file, error)) {
    problems.push_back({file.string(), std::string{"cannot be read: "} +
                                           (in ? "it is a directory" : std::strerror(errno))});
    return std::nullopt;
  }
  std::string text{std::istreambuf_iterator<char>{in}, {}};
  return read_roles(text, fs::absolute(file).parent_path(), fs::current_path(), problems);
}

fs::path default_roles_file() {
  std::error_code error;
  auto program = fs::read_symlink("/proc/self/exe", error);
  for (const auto& candidate :
       {fs::path{ROLECALL_EXAMPLES_DIR} / "agents/roles.json",
        program.parent_path().parent_path() / "share/rolecall/examples/agents/roles.json"})
    if (fs::exists(candidate, error))
      return candidate;
  return {};
}

} // namespace rolecall::agents
