#include "app/node_command.hpp"

#include "app/node_runner.hpp"

#include <memory>

namespace rolecall {

void add_node_command(CLI::App& app, std::function<int()>& run) {
  auto options = std::make_shared<run_node_options>();
  auto* command =
      app.add_subcommand("node", "Runs a node that stays up, with an HTTP API and a dashboard");
  command->add_option("--config", options->config_file, "Configuration file")->type_name("FILE");
  command
      ->add_option("--listen", options->listen,
                   "Where to take requests, instead of the configuration's api.listen; port 0: "
                   "any free one")
      ->type_name("ADDRESS:PORT");
  command
      ->add_option("--journal", options->journal,
                   "File in which tasks are kept, instead of the configuration's journal.path; "
                   "empty: none are")
      ->type_name("FILE");
  command
      ->add_option("--roles", options->roles_file,
                   "Starts the bundled agents service with the roles of this file")
      ->type_name("FILE");
  command->callback([options, &run] { run = [options] { return run_node(*options); }; });
}

} // namespace rolecall
