#pragma once

#include <CLI/CLI.hpp>

#include <string>
#include <vector>

namespace rolecall::docs {

/// An option or an argument of a command, as documents show it.
struct option_doc {
  std::vector<std::string> names;   ///< "-q", "--quiet"; empty for an argument
  std::string value;                ///< what is to be given ("FILE"); empty for a flag
  std::vector<std::string> choices; ///< the values, where only these are good
  std::string text;
  std::string fallback; ///< what holds if it is not given, where that is known
  bool required{false};
  bool repeated{false}; ///< whether several values may be given
};

struct option_group {
  std::string title;
  std::vector<option_doc> options;
};

/// A command with all that it takes, and its sub commands. Nothing that is hidden.
struct command_doc {
  std::string name; ///< "rolecall list"
  std::string text;
  std::string footer;
  std::vector<option_doc> arguments;
  std::vector<option_group> groups;
  std::vector<command_doc> commands;

  /// "rolecall list [OPTIONS] [ID...]"
  std::string synopsis() const;
};

/// Walks through the commands of a program.
command_doc describe(const CLI::App& app);

/// The names of a value that is the name of a file or a folder.
bool is_path(const option_doc& option);

/// What holds for all commands, and no option can say.
struct section {
  std::string title;
  std::vector<std::pair<std::string, std::string>> entries; ///< a term (perhaps empty), its text
};
const std::vector<section>& general_sections();

} // namespace rolecall::docs
