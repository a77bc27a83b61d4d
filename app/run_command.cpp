#include "app/run_command.hpp"

#include "app/run/runner.hpp"
#include "messages/json_reader.hpp"

#include <memory>

namespace rolecall {

namespace {

/// Accepts durations with a unit, refuses the rest with words.
std::string check_duration(const std::string& text) {
  auto value = parse_duration(text);
  return value && *value > millis{0}
             ? ""
             : "\"" + text + "\" is not a duration greater than zero with a unit, like 30s or 2m";
}

} // namespace

void add_run_command(CLI::App& app, std::function<int()>& run) {
  auto options = std::make_shared<run_options>();
  auto timeout = std::make_shared<std::string>();
  auto* command = app.add_subcommand("run", "Runs a batch of tasks, here and now");
  command
      ->add_option("FILE", options->file,
                   "The tasks: {\"tasks\":[...]}, an array, or NDJSON; - is stdin")
      ->required();
  command->add_option("--config", options->config_file, "Configuration file");
  command->add_option("--service", options->service,
                      "URL of the agents service to use instead of the configured ones");
  command->add_option("--roles", options->roles_file,
                      "Starts the bundled agents service with the roles of this file");
  command->add_option("--out", options->out_folder, "Folder for a file per result");
  command->add_flag("--json", options->json, "One report on stdout");
  command->add_option("--max-parallel", options->max_parallel, "Attempts at the same time")
      ->check(CLI::Range(1, 1'000'000));
  command
      ->add_option("--timeout", *timeout,
                   "Time limit of an attempt, for tasks that name none (default: 60s)")
      ->check(check_duration);
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
