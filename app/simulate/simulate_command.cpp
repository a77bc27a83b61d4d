#include "app/simulate/simulate_command.hpp"

#include "app/client/command.hpp"
#include "app/client/table.hpp"
#include "app/exit_codes.hpp"
#include "app/option_checks.hpp"
#include "app/run/summary.hpp"
#include "app/simulate/forecast.hpp"
#include "app/startup.hpp"

#include <algorithm>
#include <memory>
#include <set>

namespace rolecall {

namespace {

struct simulate_options {
  std::string config_file;
  std::string tasks_file;
  std::vector<std::uint32_t> agents;
  std::vector<std::string> durations;
  std::string over;
  std::string spawn_delay{"1s"};
  forecast_options forecast;
  bool json{false};
};

double seconds(const std::string& duration) {
  return std::chrono::duration<double>{*parse_duration(duration)}.count();
}

/// "2s" or "reviewer=2s".
std::pair<std::string, std::string> role_and_time(const std::string& text) {
  auto middle = text.rfind('=');
  return middle == std::string::npos ? std::pair{std::string{}, text}
                                     : std::pair{text.substr(0, middle), text.substr(middle + 1)};
}

std::string check_role_duration(const std::string& text) {
  auto [role, time] = role_and_time(text);
  if (role.empty() && text.starts_with("="))
    return "\"" + text + "\" names no role: write a time, or ROLE=TIME";
  return check_duration(time);
}

timed_tasks load_tasks(const std::string& file) {
  auto parsed = read_timed_tasks(read_input(file));
  if (const auto* problems = std::get_if<std::vector<problem>>(&parsed))
    refuse(file, *problems);
  return std::get<timed_tasks>(std::move(parsed));
}

std::string joined(const std::vector<std::string>& names) {
  std::string result;
  for (const auto& name : names)
    result += (result.empty() ? "" : ", ") + name;
  return result;
}

/// Checks the durations against the tasks.
void take_durations(simulate_options& options, const timed_tasks& tasks) {
  std::set<std::string> roles;
  for (const auto& task : tasks.tasks)
    roles.insert(task.spec.role.str());
  for (const auto& text : options.durations) {
    auto [role, time] = role_and_time(text);
    if (!role.empty() && !roles.contains(role))
      refuse("simulate: --duration " + text + ": no task has the role \"" + role +
             "\"; there are: " + joined({roles.begin(), roles.end()}));
    if (!options.forecast.durations.emplace(role, seconds(time)).second)
      refuse("simulate: --duration is given twice for " +
             (role.empty() ? "all roles" : "the role \"" + role + "\""));
  }
  if (auto unknown = roles_without_duration(tasks, options.forecast); !unknown.empty())
    refuse("simulate: how long do tasks of these roles take? " + joined(unknown) +
           "; say it with --duration 2s or --duration \"" + unknown.front() +
           "=2s\", or give tasks that rolecall export has printed");
}

/// Without --agents: as configured, and powers of two up to the most that any of the roles may
/// have.
std::vector<std::optional<std::uint32_t>> fleets(const simulate_options& options,
                                                 const timed_tasks& tasks, const config& settings) {
  if (!options.agents.empty())
    return {options.agents.begin(), options.agents.end()};
  std::uint32_t most = 1;
  for (const auto& task : tasks.tasks) {
    auto role = settings.fleet.roles.find(task.spec.role);
    const auto& policy =
        role == settings.fleet.roles.end() ? settings.fleet.defaults : role->second;
    most = std::max(most, policy.max_agents);
  }
  std::vector<std::optional<std::uint32_t>> result{std::nullopt};
  for (std::uint32_t count = 1; count <= std::min(most, 1'024u); count *= 2)
    result.emplace_back(count);
  return result;
}

std::string time_text(double value_s) {
  return short_time(millis{static_cast<millis::rep>(value_s * 1'000 + 0.5)});
}

std::string percent(double share) {
  char text[16];
  std::snprintf(text, sizeof text, "%.1f%%", share * 100);
  return text;
}

void print_table(const std::vector<forecast>& results) {
  client::table data{{"AGENTS", "MEAN", "P50", "P99", "ALL DONE", "SUCCESS", "TIMEOUTS",
                      "AGENT-SECONDS", "BUSY", "MOST AGENTS"},
                     {}};
  for (const auto& f : results)
    data.rows.push_back({{f.agents ? std::to_string(*f.agents) : "as configured"},
                         {time_text(f.figures.mean_s)},
                         {time_text(f.figures.p50_s)},
                         {time_text(f.figures.p99_s)},
                         {time_text(f.all_done_s)},
                         {percent(f.figures.success)},
                         {percent(f.figures.timeouts)},
                         {std::to_string(static_cast<long long>(f.figures.agent_seconds + 0.5))},
                         {percent(f.figures.busy)},
                         {std::to_string(f.most_agents)}});
  client::print(data);
}

nlohmann::ordered_json report(const std::vector<forecast>& results, std::size_t tasks,
                              std::uint64_t seed) {
  auto ms = [](double value_s) { return static_cast<std::int64_t>(value_s * 1'000 + 0.5); };
  auto list = nlohmann::ordered_json::array();
  for (const auto& f : results)
    list.push_back({{"agents", f.agents ? nlohmann::ordered_json(*f.agents) : nullptr},
                    {"mean_ms", ms(f.figures.mean_s)},
                    {"p50_ms", ms(f.figures.p50_s)},
                    {"p99_ms", ms(f.figures.p99_s)},
                    {"p999_ms", ms(f.figures.p999_s)},
                    {"queued_mean_ms", ms(f.figures.wait_mean_s)},
                    {"all_done_ms", ms(f.all_done_s)},
                    {"success_rate", f.figures.success},
                    {"timeouts_per_task", f.figures.timeouts},
                    {"agent_seconds", f.figures.agent_seconds},
                    {"busy", f.figures.busy},
                    {"most_agents", f.most_agents}});
  return {{"tasks", tasks}, {"seed", seed}, {"forecasts", std::move(list)}};
}

int simulate(simulate_options options) {
  try {
    auto settings = load_config(options.config_file);
    auto tasks = load_tasks(options.tasks_file);
    take_durations(options, tasks);
    options.forecast.over_s = options.over.empty() ? 0 : seconds(options.over);
    options.forecast.spawn_delay_s = seconds(options.spawn_delay);
    if (tasks.left_out > 0)
      tell("simulate: " + std::to_string(tasks.left_out) +
           " tasks of the export have never run and are left out");
    std::vector<forecast> results;
    for (const auto& agents : fleets(options, tasks, settings))
      results.push_back(make_forecast(tasks, settings, options.forecast, agents));
    if (options.json)
      std::puts(report(results, tasks.tasks.size(), options.forecast.seed).dump(2).c_str());
    else
      print_table(results);
    if (std::fflush(stdout) == 0)
      return exit_codes::ok;
    tell("simulate: cannot write to stdout");
  } catch (const wrong_input&) {
    return exit_codes::wrong_input;
  }
  return exit_codes::failure;
}

} // namespace

void add_simulate_command(CLI::App& app, std::function<int()>& run) {
  auto options = std::make_shared<simulate_options>();
  auto* command = app.add_subcommand(
      "simulate", "Tells how long tasks would take with so many agents, without running anything");
  command->add_option("--config", options->config_file, "Configuration file")->type_name("FILE");
  command
      ->add_option("--tasks", options->tasks_file,
                   "The tasks: what rolecall run takes, all at once; or what rolecall export has "
                   "printed, with the times at which they came and that they took")
      ->type_name("FILE")
      ->required();
  command
      ->add_option("--agents", options->agents,
                   "Agents of each role, several numbers to compare; without it: as the "
                   "configuration scales them, and 1, 2, 4, ... up to its most")
      ->type_name("N")
      ->delimiter(',')
      ->check(CLI::Range(1, 10'000));
  command
      ->add_option("--duration", options->durations,
                   "How long a task takes on average, or a task of that role; repeated for more "
                   "roles; goes before what an export says")
      ->type_name("[ROLE=]TIME")
      ->check(CLI::Validator{check_role_duration, ""});
  command
      ->add_option("--spread", options->forecast.spread,
                   "How much such durations differ: deviation of their logarithm, 0 for not at all")
      ->type_name("NUMBER")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 3.0));
  command->add_option("--over", options->over, "The tasks come by chance within this time")
      ->type_name("TIME")
      ->check(CLI::Validator{check_duration, ""});
  command
      ->add_option("--limit", options->forecast.limit, "Tasks that an agent does at the same time")
      ->type_name("N")
      ->capture_default_str()
      ->check(CLI::Range(1, 1'000'000));
  command
      ->add_option("--spawn-delay", options->spawn_delay, "Until an agent that is spawned is there")
      ->type_name("TIME")
      ->capture_default_str()
      ->check(CLI::Validator{check_duration, ""});
  command
      ->add_option("--seed", options->forecast.seed,
                   "Of all chance: the same seed gives the same answer")
      ->type_name("N")
      ->capture_default_str();
  command->add_flag("--json", options->json, "One report on stdout");
  command->callback([options, &run] { run = [options] { return simulate(*options); }; });
}

} // namespace rolecall
