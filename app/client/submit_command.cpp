#include "app/client/submit_command.hpp"

#include "app/client/command.hpp"
#include "app/client/submit.hpp"
#include "app/option_checks.hpp"

namespace rolecall::client {

namespace {

void declare(CLI::App& command, submit_options& options) {
  command.add_option("FILE", options.file,
                     "The tasks: {\"tasks\":[...]}, an array, or NDJSON; - is stdin");
  auto* role = command.add_option("--role", options.role, "One task of this role, without a file")
                   ->type_name("ROLE")
                   ->excludes(command.get_option("FILE"));
  command.add_option("--input", options.input, "The input of that task, as JSON")
      ->type_name("JSON")
      ->needs(role);
  auto* wait = command.add_flag("--wait", options.wait, "Follows the tasks until all have ended");
  command
      .add_option("--timeout", options.timeout, "The longest to wait (the tasks go on after it)")
      ->type_name("TIME")
      ->check(CLI::Validator{check_duration, ""})
      ->capture_default_str()
      ->needs(wait);
}

} // namespace

void add_submit_command(CLI::App& app, std::function<int()>& run) {
  add_command<submit_options>(app, run, "submit", "Submits tasks to a node", declare, submit);
}

} // namespace rolecall::client
