#include "app/client/command.hpp"

#include "app/terminal.hpp"
#include "messages/json_codec.hpp"

#include <csignal>
#include <cstdio>

namespace rolecall::client {

namespace {

void print_text(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
}

void tell_lines(const std::string& name, std::string_view text) {
  while (!text.empty()) {
    auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    std::fprintf(stderr, "rolecall %s: %s\n", name.c_str(), printable(std::string{line}).c_str());
  }
}

} // namespace

void add_common_options(CLI::App& command, command_options& options) {
  command.add_flag("--json", options.json, "JSON on stdout");
  add_node_options(command, options);
}

int run_against_node(const std::string& name, const command_options& options,
                     const std::function<int(node_client&)>& work) {
  std::signal(SIGPIPE, SIG_IGN);
  auto code = exit_codes::ok;
  try {
    node_client node{find_node(options)};
    code = work(node);
  } catch (const client_error& error) {
    std::fflush(stdout); // what is known comes before what went wrong
    tell_lines(name, error.what());
    code = error.code;
  }
  if (std::fflush(stdout) == 0 && !std::ferror(stdout))
    return code;
  tell_lines(name, "cannot write to stdout");
  return code == exit_codes::ok ? exit_codes::failure : code;
}

void tell(const std::string& text) {
  std::fprintf(stderr, "rolecall: %s\n", printable(text).c_str());
}

void tell_unreachable(const json& answer) {
  auto nodes = answer.find("unreachable");
  if (nodes == answer.end() || !nodes->is_array())
    return;
  std::string names;
  for (const auto& node : *nodes)
    if (node.is_string())
      names += (names.empty() ? "" : ", ") + node.get<std::string>();
  tell("not asked, because they cannot be reached just now: " + names);
}

void print_json(const json& value) {
  print_text(dump(value, 2) + "\n");
}

void print_json_line(const json& value) {
  print_text(dump(value) + "\n");
  std::fflush(stdout);
}

} // namespace rolecall::client
