#include "app/docs/command_doc.hpp"

#include <algorithm>

namespace rolecall::docs {

namespace {

option_doc describe(const CLI::Option& option) {
  option_doc result;
  for (const auto& name : option.get_snames())
    result.names.push_back("-" + name);
  for (const auto& name : option.get_lnames())
    result.names.push_back("--" + name);
  auto takes_value = option.get_items_expected_max() > 0;
  // What the checks say of themselves follows the type's name: ":{ready,draining}" are choices,
  // ":INT in [1 - 9]" is a range.
  auto type = option.get_type_name();
  auto checks = std::min({type.find(":{"), type.find(":INT in ["), type.size()});
  auto choices = type.substr(checks);
  type.resize(checks);
  if (takes_value)
    result.value = option.get_positional() && result.names.empty() ? option.get_name(true) : type;
  if (choices.starts_with(":{") && choices.ends_with("}"))
    result.choices = CLI::detail::split(choices.substr(2, choices.size() - 3), ',');
  result.text = option.get_description();
  result.fallback = option.get_default_str();
  result.required = option.get_required();
  result.repeated = option.get_items_expected_max() > 1;
  return result;
}

command_doc describe(const CLI::App& app, const std::string& parent) {
  command_doc result;
  result.name = parent + app.get_name();
  result.text = app.get_description();
  result.footer = app.get_footer();
  auto shown = [](const CLI::Option* option) { return !option->get_group().empty(); };
  for (const auto* option : app.get_options(shown)) {
    if (!parent.empty() && option == app.get_help_ptr())
      continue; // every command has it: it is told once
    if (option->nonpositional()) {
      auto group = std::find_if(result.groups.begin(), result.groups.end(), [&](const auto& known) {
        return known.title == option->get_group();
      });
      if (group == result.groups.end())
        group = result.groups.insert(group, {option->get_group(), {}});
      group->options.push_back(describe(*option));
    } else {
      result.arguments.push_back(describe(*option));
    }
  }
  auto visible = [](const CLI::App* command) { return !command->get_group().empty(); };
  for (const auto* command : app.get_subcommands(visible))
    result.commands.push_back(describe(*command, result.name + " "));
  return result;
}

} // namespace

std::string command_doc::synopsis() const {
  auto result = name + " [OPTIONS]";
  for (const auto& argument : arguments) {
    auto shown = argument.value + (argument.repeated ? "..." : "");
    result += " " + (argument.required ? shown : "[" + shown + "]");
  }
  return commands.empty() ? result : result + " COMMAND";
}

command_doc describe(const CLI::App& app) {
  return describe(app, "");
}

bool is_path(const option_doc& option) {
  return option.value == "FILE" || option.value == "DIRECTORY";
}

const std::vector<section>& general_sections() {
  static const std::vector<section> all{
      {"Output",
       {{"",
         "On a terminal, commands that list things print aligned tables that are cut to its width. "
         "In a pipe they print a line with the names of the columns and then a line for each "
         "thing, cells separated by tabs, nothing cut. With --json they print JSON: what the node "
         "answered, or, where events are followed, one JSON text a line. Errors and remarks go "
         "to the standard error."}}},
      {"Environment",
       {{"ROLECALL_NODE",
         "URL of the node that client commands talk to, if --node does not name one. If it is "
         "set, \"rolecall agents\" without options lists that node's agents."},
        {"ROLECALL_TOKEN",
         "The token for that node, if --token-file does not name a file with one. No option takes "
         "a token itself: command lines can be read by others."}}},
      {"Exit status",
       {{"0", "All succeeded: every task completed, every request was answered well."},
        {"1", "Something failed: a task, a request, the connection to the node."},
        {"2", "The command line, a file or a task is wrong. Nothing was done."},
        {"130", "Ended by a signal (Ctrl-C). What a node has accepted goes on."}}},
  };
  return all;
}

} // namespace rolecall::docs
