#include "app/docs/render.hpp"

#include <cctype>

namespace rolecall::docs {

namespace {

/// Text that groff takes as it is: no escapes, no line that is a request.
std::string escaped(const std::string& text) {
  std::string result;
  for (auto c : text)
    if (c == '\\')
      result += "\\e";
    else if (c == '-')
      result += "\\-";
    else if (c == '"')
      result += "\\(dq";
    else
      result += c;
  if (result.starts_with('.') || result.starts_with('\''))
    result = "\\&" + result;
  return result;
}

std::string upper(std::string text) {
  for (auto& c : text)
    c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

std::string names_of(const option_doc& option) {
  std::string result;
  for (const auto& name : option.names)
    result += (result.empty() ? "" : ", ") + ("\\fB" + escaped(name) + "\\fR");
  if (!option.value.empty())
    result += (result.empty() ? "" : " ") + ("\\fI" + escaped(option.value) + "\\fR");
  return result;
}

void add_option(std::string& out, const option_doc& option) {
  out += ".TP\n" + names_of(option) + "\n" + escaped(option.text);
  if (!option.choices.empty()) {
    std::string all;
    for (const auto& choice : option.choices)
      all += (all.empty() ? "" : ", ") + choice;
    out += escaped(" (one of: " + all + ")");
  }
  if (!option.fallback.empty())
    out += escaped(" (default: " + option.fallback + ")");
  out += "\n";
}

void add_options(std::string& out, const command_doc& command) {
  for (const auto& argument : command.arguments)
    add_option(out, argument);
  for (const auto& group : command.groups) {
    if (group.title != "Options")
      out += ".PP\n" + escaped(group.title) + ":\n";
    for (const auto& option : group.options)
      add_option(out, option);
  }
}

} // namespace

std::string man_page(const command_doc& program) {
  auto out = ".TH " + upper(program.name) + " 1 \"\" \"" + program.name + "\" \"User Commands\"\n";
  out += ".SH NAME\n" + program.name + " \\- " + escaped(program.text) + "\n";
  out += ".SH SYNOPSIS\n";
  for (const auto& command : program.commands)
    out += ".B " + escaped(command.synopsis()) + "\n.br\n";
  out += ".SH OPTIONS\n";
  add_options(out, program);
  out += ".SH COMMANDS\n";
  for (const auto& command : program.commands) {
    out += ".SS " + escaped(command.synopsis()) + "\n" + escaped(command.text) + ".\n";
    if (!command.footer.empty())
      out += ".PP\n" + escaped(command.footer) + "\n";
    add_options(out, command);
  }
  for (const auto& section : general_sections()) {
    out += ".SH " + upper(section.title) + "\n";
    for (const auto& [term, text] : section.entries)
      out += (term.empty() ? "" : ".TP\n.B " + escaped(term) + "\n") + escaped(text) + "\n";
  }
  return out;
}

} // namespace rolecall::docs
