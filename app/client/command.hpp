#pragma once

#include "app/client/node_client.hpp"

#include <CLI/CLI.hpp>

#include <functional>
#include <string>

namespace rolecall::client {

/// What every command of a client has: the node's options and `--json`. The options of a command
/// derive from it.
struct command_options : node_options {
  bool json{false};
};

/// Adds what all commands have in common. `options` outlives the parsing.
void add_common_options(CLI::App& command, command_options& options);

/// Runs `work` against the node that the options name, and gives the exit code. What it throws is
/// told on stderr, line by line, under the command's name; output that could not be written is a
/// failure.
int run_against_node(const std::string& name, const command_options& options,
                     const std::function<int(node_client&)>& work);

/// Makes a command of `name` whose options live in an `Options`; `declare(command, options)` adds
/// those of its own, `work(node, options)` carries it out and gives the exit code.
template <class Options, class Declare, class Work>
CLI::App* add_command(CLI::App& app, std::function<int()>& run, const std::string& name,
                      const std::string& description, Declare declare, Work work) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand(name, description);
  declare(*command, *options);
  add_common_options(*command, *options);
  command->callback([options, name, work, &run] {
    run = [options, name, work] {
      return run_against_node(name, *options,
                              [&](node_client& node) { return work(node, *options); });
    };
  });
  return command;
}

/// Tells a line on stderr, under the program's name.
void tell(const std::string& text);

/// Tells on stderr which nodes of a cluster an answer about many tasks lacks, if any.
void tell_unreachable(const json& answer);

/// Prints JSON on stdout, indented for people.
void print_json(const json& value);

/// Prints JSON on stdout as one line, and lets whoever reads it have it at once.
void print_json_line(const json& value);

} // namespace rolecall::client
