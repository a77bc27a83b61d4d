#include "app/agents_command.hpp"

#include "app/agents_service/guardian.hpp"
#include "app/agents_service/roles_file.hpp"
#include "app/agents_service/runner.hpp"
#include "app/client/fleet_commands.hpp"
#include "app/exit_codes.hpp"
#include "app/listen_address.hpp"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

namespace rolecall {

namespace {

struct agents_options {
  std::string roles_file;
  std::string listen{"localhost:8052"};
  std::size_t max_agents{256};
  bool allow_remote{false};
  bool die_with_parent{false};
  bool verbose{false};
  bool quiet{false};
};

int wrong_input(std::string text) {
  if (text.back() != '\n')
    text += '\n';
  std::fprintf(stderr, "rolecall agents: %s", text.c_str());
  return exit_codes::wrong_input;
}

/// Events go to stderr, one a line: stdout belongs to the one line that a parent process reads.
void set_up_log(const agents_options& options) {
  auto log = spdlog::stderr_color_mt("agents");
  log->set_level(options.verbose ? spdlog::level::debug
                 : options.quiet ? spdlog::level::warn
                                 : spdlog::level::info);
  log->set_pattern("%Y-%m-%d %H:%M:%S.%e %^%l%$ %v");
  spdlog::set_default_logger(std::move(log));
}

int run_agents(const agents_options& options) {
  auto listen = parse_listen_address(options.listen);
  if (auto* wrong = std::get_if<std::string>(&listen))
    return wrong_input("--listen: " + *wrong);
  auto where = std::get<listen_address>(listen);
  if (!where.loopback && !options.allow_remote)
    return wrong_input("--listen: " + options.listen +
                       " can be reached from other machines, and whoever reaches the port can run "
                       "the commands of all roles here; if that is what you want, add "
                       "--allow-remote");
  auto file = options.roles_file.empty() ? agents::default_roles_file()
                                         : std::filesystem::path{options.roles_file};
  if (file.empty())
    return wrong_input("the example roles are not installed; name a file with --roles");
  std::vector<problem> problems;
  auto roles = agents::load_roles_file(file, problems);
  if (!roles)
    return wrong_input("wrong roles file " + file.string() + '\n' + to_text(problems));
  set_up_log(options);
  return agents::run_guarded(
      [&] {
        return agents::run_service({where, std::move(*roles), options.max_agents});
      },
      options.die_with_parent);
}

} // namespace

void add_agents_command(CLI::App& app, std::function<int()>& run) {
  auto options = std::make_shared<agents_options>();
  auto* command = app.add_subcommand(
      "agents", "Serve agents: each is a command, given tasks over HTTP (docs/agents-service.md)");
  command->footer("With an option of the second group, or with ROLECALL_NODE set and none of the "
                  "first, it serves nothing: it lists the agents of a node instead.");
  command
      ->add_option("--roles", options->roles_file,
                   "JSON file with the roles (default: the examples that come with rolecall)")
      ->type_name("FILE");
  command->add_option("--listen", options->listen, "where to take requests; port 0: any free one")
      ->type_name("ADDRESS:PORT")
      ->capture_default_str();
  command->add_option("--max-agents", options->max_agents, "most agents at a time, of all roles")
      ->type_name("N")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
  command->add_flag("--allow-remote", options->allow_remote,
                    "allow an address that others can reach: they can run the roles' commands");
  command->add_flag("--die-with-parent", options->die_with_parent)->group("");
  auto* verbose = command->add_flag("-v,--verbose", options->verbose, "log more");
  command->add_flag("-q,--quiet", options->quiet, "log warnings and errors only")
      ->excludes(verbose);
  auto serving = command->get_options(
      [](const CLI::Option* option) { return option->get_name() != "--help"; });
  auto query = std::make_shared<client::agents_query>();
  auto asking = client::add_agents_query(*command, *query);
  command->callback([options, serving, query, asking, &run] {
    auto given = [](const CLI::Option* option) { return option->count() > 0; };
    auto serves = std::any_of(serving.begin(), serving.end(), given);
    auto asks = std::any_of(asking.begin(), asking.end(), given);
    if (serves && asks)
      throw CLI::ValidationError{"agents", "it either serves agents or asks a node about its own: "
                                           "give options of one of the two groups"};
    auto lists = asks || (!serves && std::getenv("ROLECALL_NODE"));
    run = [options, query, lists] {
      return lists ? client::run_agents_query(*query) : run_agents(*options);
    };
  });
}

} // namespace rolecall
