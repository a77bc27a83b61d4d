#include "app/docs/render.hpp"

namespace rolecall::docs {

namespace {

std::string short_name(const command_doc& command) {
  return command.name.substr(command.name.rfind(' ') + 1);
}

/// `text` between single quotes, for any of the shells.
std::string shell_word(const std::string& text) {
  std::string result = "'";
  for (auto c : text)
    result += c == '\'' ? "'\\''" : std::string(1, c);
  return result + "'";
}

/// All options of a command, whatever their group.
std::vector<option_doc> options_of(const command_doc& command) {
  std::vector<option_doc> result;
  for (const auto& group : command.groups)
    result.insert(result.end(), group.options.begin(), group.options.end());
  return result;
}

std::string joined(const std::vector<std::string>& words, const char* between) {
  std::string result;
  for (const auto& word : words)
    result += (result.empty() ? "" : between) + word;
  return result;
}

std::string option_names(const command_doc& command) {
  std::vector<std::string> names;
  for (const auto& option : options_of(command))
    names.insert(names.end(), option.names.begin(), option.names.end());
  return joined(names, " ");
}

std::string command_names(const command_doc& program) {
  std::vector<std::string> names;
  for (const auto& command : program.commands)
    names.push_back(short_name(command));
  return joined(names, " ");
}

/// What bash offers for a value: the choices, names of files, or nothing.
std::string bash_values(const option_doc& option) {
  if (!option.choices.empty())
    return "COMPREPLY=($(compgen -W " + shell_word(joined(option.choices, " ")) + " -- \"$word\"))";
  return is_path(option) ? "COMPREPLY=($(compgen -f -- \"$word\"))" : "COMPREPLY=()";
}

/// What zsh offers for it.
std::string zsh_action(const option_doc& option) {
  if (!option.choices.empty())
    return "(" + joined(option.choices, " ") + ")";
  return is_path(option) ? "_files" : "";
}

/// A description inside the brackets of zsh's _arguments, or in a list of _describe.
std::string zsh_text(const std::string& text) {
  std::string result;
  for (auto c : text) {
    if (c == '[' || c == ']' || c == ':' || c == '\\')
      result += '\\';
    result += c;
  }
  return result;
}

} // namespace

std::string bash_completion(const command_doc& program) {
  std::string out =
      "# Completion of rolecall for bash: source <(rolecall completion bash)\n"
      "_rolecall() {\n"
      "  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}\n"
      "  local command='' i\n"
      "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
      "    if [[ ${COMP_WORDS[i]} != -* ]]; then command=${COMP_WORDS[i]}; break; fi\n"
      "  done\n"
      "  compopt -o filenames 2>/dev/null\n"
      "  case $command:$before in\n";
  for (const auto& command : program.commands)
    for (const auto& option : options_of(command))
      if (!option.value.empty()) {
        std::string patterns;
        for (const auto& name : option.names)
          patterns += (patterns.empty() ? "" : "|") + short_name(command) + ":" + name;
        out += "    " + patterns + ") " + bash_values(option) + "; return ;;\n";
      }
  out += "  esac\n  case $command in\n    '') COMPREPLY=($(compgen -W " +
         shell_word(command_names(program) + " " + option_names(program)) + " -- \"$word\")) ;;\n";
  for (const auto& command : program.commands) {
    out += "    " + short_name(command) + ")\n      if [[ $word == -* ]]; then\n" +
           "        COMPREPLY=($(compgen -W " + shell_word(option_names(command)) +
           " -- \"$word\"))\n";
    if (!command.arguments.empty())
      out += "      else\n        " + bash_values(command.arguments.front()) + "\n";
    out += "      fi ;;\n";
  }
  return out + "  esac\n}\ncomplete -F _rolecall rolecall\n";
}

std::string zsh_completion(const command_doc& program) {
  std::string out =
      "#compdef rolecall\n"
      "# Completion of rolecall for zsh: source <(rolecall completion zsh), or a file\n"
      "# _rolecall in a folder of $fpath.\n"
      "_rolecall() {\n"
      "  if (( CURRENT == 2 )); then\n    local -a commands=(\n";
  for (const auto& command : program.commands)
    out += "      " + shell_word(short_name(command) + ":" + zsh_text(command.text)) + "\n";
  out += "    )\n    _describe command commands\n    _arguments";
  for (const auto& option : options_of(program))
    for (const auto& name : option.names)
      out += " " + shell_word(name + "[" + zsh_text(option.text) + "]");
  out += "\n    return\n  fi\n  local command=$words[2]\n"
         "  shift words\n  (( CURRENT-- ))\n  case $command in\n";
  for (const auto& command : program.commands) {
    out += "    " + short_name(command) + ") _arguments";
    for (const auto& option : options_of(command))
      for (const auto& name : option.names)
        out += " \\\n      " +
               shell_word((option.repeated ? "*" : "") + name + "[" + zsh_text(option.text) + "]" +
                          (option.value.empty()
                               ? ""
                               : ":" + zsh_text(option.value) + ":" + zsh_action(option)));
    for (const auto& argument : command.arguments)
      out += " \\\n      " + shell_word((argument.repeated ? "*:" : ":") +
                                        zsh_text(argument.value) + ":" + zsh_action(argument));
    out += " ;;\n";
  }
  return out + "  esac\n}\nif [[ $funcstack[1] == _rolecall ]]; then _rolecall \"$@\"\n"
               "else compdef _rolecall rolecall; fi\n";
}

std::string fish_completion(const command_doc& program) {
  std::string out = "# Completion of rolecall for fish: rolecall completion fish | source\n"
                    "complete -c rolecall -f\n";
  auto add = [&](const std::string& condition, const option_doc& option) {
    out += "complete -c rolecall -n " + shell_word(condition);
    for (const auto& name : option.names)
      out += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
    if (!option.value.empty())
      out += is_path(option) ? " -r -F" : " -x";
    if (!option.choices.empty())
      out += " -a " + shell_word(joined(option.choices, " "));
    out += " -d " + shell_word(option.text) + "\n";
  };
  for (const auto& option : options_of(program))
    add("__fish_use_subcommand", option);
  for (const auto& command : program.commands) {
    out += "complete -c rolecall -n __fish_use_subcommand -a " + short_name(command) + " -d " +
           shell_word(command.text) + "\n";
    auto condition = "__fish_seen_subcommand_from " + short_name(command);
    for (const auto& option : options_of(command))
      add(condition, option);
    for (const auto& argument : command.arguments)
      if (is_path(argument))
        out += "complete -c rolecall -n " + shell_word(condition) + " -F\n";
      else if (!argument.choices.empty())
        out += "complete -c rolecall -n " + shell_word(condition) + " -a " +
               shell_word(joined(argument.choices, " ")) + "\n";
  }
  return out;
}

} // namespace rolecall::docs
