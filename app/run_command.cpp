#include "app/run_command.hpp"

#include "app/option_checks.hpp"
#include "app/run/runner.hpp"

#include <memory>

namespace rolecall {

void add_run_command(CLI::App& app, std::function<int()>& run) {
  auto options = std::make_shared<run_options>();
  auto timeout = std::make_shared<std::string>();
  auto* command = app.add_subcommand("run", "Runs a batch of tasks, here and now");
  command
      ->add_option("FILE", options->file,
                   "The tasks: {\"tasks\":[...]}, an array, or NDJSON; - is stdin")
      ->required();
  command->add_option("--config", options->config_file, "Configuration file")->type_name("FILE");
  command
      ->add_option("--service", options->service,
                   "URL of the agents service to use instead of the configured ones")
      ->type_name("URL");
  command
      ->add_option("--roles", options->roles_file,
                   "Starts the bundled agents service with the roles of this file")
      ->type_name("FILE");
  command
      ->add_option("--journal", options->journal,
                   "Keeps the tasks in a file: the same command goes on after an interruption")
      ->type_name("FILE");
  command->add_option("--out", options->out_folder, "Folder for a file per result")
      ->type_name("DIRECTORY");
  command->add_flag("--json", options->json, "One report on stdout");
  command->add_option("--max-parallel", options->max_parallel, "Attempts at the same time")
      ->type_name("N")
      ->check(CLI::Range(1, 1'000'000));
  command
      ->add_option("--timeout", *timeout,
                   "Time limit of an attempt, for tasks that name none (default: 60s)")
      ->type_name("TIME")
      ->check(CLI::Validator{check_duration, ""});
  auto quiet = std::make_shared<bool>(false);
  auto verbose = std::make_shared<bool>(false);
  auto* quiet_flag = command->add_flag("-q,--quiet", *quiet, "Only the summary");
  command->add_flag("-v,--verbose", *verbose, "Every change of every task")->excludes(quiet_flag);
  command->get_option("--service")->excludes(command->get_option("--roles"));
  command->callback([options, timeout, quiet, verbose, &run] {
    if (*quiet)
      options->level = verbosity::quiet;
    if (*verbose)
      options->level = verbosity::verbose;
    if (!timeout->empty())
      options->timeout = *parse_duration(*timeout);
    run = [options] { return run_batch(*options); };
  });
}

} // namespace rolecall
