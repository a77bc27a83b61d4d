#include "app/export_command.hpp"

#include "actors/coordinator/retry_rules.hpp"
#include "actors/journal/journal_store.hpp"
#include "app/api/views.hpp"
#include "app/exit_codes.hpp"
#include "app/startup.hpp"

#include <csignal>
#include <cstdio>
#include <memory>
#include <optional>

namespace rolecall {

namespace {

struct export_options {
  std::string config_file;
  std::optional<std::string> journal;
};

/// Nobody takes what we write.
struct output_failed {};

/// A task as a node with these settings shows it.
std::string view_of(journal_entry&& entry, const config& settings) {
  const auto& defaults = settings.coordinator;
  task_detail detail;
  detail.record = std::move(entry.record);
  detail.spec = std::move(entry.spec);
  detail.history = std::move(entry.history);
  const auto& spec = *detail.spec;
  detail.timeout = spec.timeout == millis{0} ? defaults.timeout : spec.timeout;
  auto role = defaults.roles.find(spec.role);
  auto rules =
      rules_for(spec, role == defaults.roles.end() ? nullptr : &role->second, defaults.retry);
  detail.max_attempts = rules.max_attempts;
  return api::task_view(detail);
}

int export_tasks(const export_options& options) {
  std::signal(SIGPIPE, SIG_IGN);
  try {
    auto settings = load_config(options.config_file);
    auto file = options.journal.value_or(settings.journal_path);
    if (file.empty())
      refuse("export: there is no journal: name its file with --journal FILE");
    auto opened = journal_store::open(file, journal_store::access::read);
    if (const auto* wrong = std::get_if<journal_store::problem>(&opened))
      refuse("export: " + wrong->message);
    auto wrong = std::get<0>(opened)->read([&](journal_entry&& entry) {
      auto line = view_of(std::move(entry), settings) + "\n";
      if (std::fwrite(line.data(), 1, line.size(), stdout) != line.size())
        throw output_failed{};
    });
    if (std::fflush(stdout) != 0)
      throw output_failed{};
    if (!wrong)
      return exit_codes::ok;
    tell("export: " + wrong->message);
  } catch (const wrong_input&) {
    return exit_codes::wrong_input;
  } catch (const output_failed&) {
    tell("export: cannot write to stdout");
  }
  return exit_codes::failure;
}

} // namespace

void add_export_command(CLI::App& app, std::function<int()>& run) {
  auto options = std::make_shared<export_options>();
  auto* command = app.add_subcommand(
      "export", "Prints every task of a journal, one a line, as JSON; also while a node uses it");
  command
      ->add_option("--journal", options->journal,
                   "The journal's file, instead of the configuration's journal.path")
      ->type_name("FILE");
  command
      ->add_option("--config", options->config_file,
                   "The node's configuration, with its journal.path and what tasks get that name "
                   "nothing of their own")
      ->type_name("FILE");
  command->callback([options, &run] { run = [options] { return export_tasks(*options); }; });
}

} // namespace rolecall
