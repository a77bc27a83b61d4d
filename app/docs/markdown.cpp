#include "app/docs/render.hpp"

namespace rolecall::docs {

namespace {

/// Text inside a table's cell, outside of code.
std::string escaped(const std::string& text) {
  std::string result;
  for (auto c : text) {
    if (c == '|' || c == '<' || c == '*' || c == '_' || c == '[')
      result += '\\';
    result += c;
  }
  return result;
}

void add_option(std::string& out, const option_doc& option) {
  std::string names;
  for (const auto& name : option.names)
    names += (names.empty() ? "" : ", ") + name;
  if (!option.value.empty())
    names += (names.empty() ? "" : " ") + option.value;
  out += "| `" + names + "` | " + escaped(option.text);
  for (std::size_t i = 0; i < option.choices.size(); ++i)
    out += (i == 0 ? ": `" : ", `") + option.choices[i] + "`";
  if (!option.fallback.empty())
    out += " (default: `" + option.fallback + "`)";
  out += " |\n";
}

void add_table(std::string& out, const std::vector<option_doc>& options) {
  if (options.empty())
    return;
  out += "\n| | |\n|---|---|\n";
  for (const auto& option : options)
    add_option(out, option);
}

void add_options(std::string& out, const command_doc& command) {
  // What a command is always given, and its options, stand in one table.
  auto first = command.arguments;
  for (const auto& group : command.groups)
    if (group.title == "Options")
      first.insert(first.end(), group.options.begin(), group.options.end());
  add_table(out, first);
  for (const auto& group : command.groups)
    if (group.title != "Options") {
      out += "\n" + group.title + ":\n";
      add_table(out, group.options);
    }
}

} // namespace

std::string markdown(const command_doc& program) {
  auto out = "# Commands\n\n" + program.text + ".\n\n";
  out += "This page is written by `rolecall man --markdown`; a test keeps it up to date.\n\n";
  for (const auto& command : program.commands)
    out += "- `" + command.name + "`: " + escaped(command.text) + "\n";
  add_options(out, program);
  for (const auto& command : program.commands) {
    out += "\n## " + command.name + "\n\n" + escaped(command.text) + ".\n\n";
    out += "    " + command.synopsis() + "\n";
    if (!command.footer.empty())
      out += "\n" + escaped(command.footer) + "\n";
    add_options(out, command);
  }
  for (const auto& section : general_sections()) {
    out += "\n## " + section.title + "\n\n";
    for (const auto& [term, text] : section.entries)
      out += (term.empty() ? "" : "- `" + term + "`: ") + escaped(text) + "\n";
  }
  return out;
}

} // namespace rolecall::docs
