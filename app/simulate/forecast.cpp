#include "app/simulate/forecast.hpp"

#include <algorithm>
#include <set>
#include <unordered_map>

namespace rolecall {

namespace {

std::optional<double> mean_duration(const role_name& role, const forecast_options& options) {
  for (const auto& name : {role.str(), std::string{}})
    if (auto found = options.durations.find(name); found != options.durations.end())
      return found->second;
  return std::nullopt;
}

lab::task_kind kind_of(const task_spec& spec, const config& settings) {
  const auto& defaults = settings.coordinator;
  auto role = defaults.roles.find(spec.role);
  lab::task_kind kind;
  kind.role = spec.role;
  kind.skills = spec.skills;
  kind.priority = spec.priority;
  kind.tenant = label_of(spec, defaults.labels.fairness);
  kind.task_class = label_of(spec, defaults.labels.task_class);
  kind.timeout_s =
      std::chrono::duration<double>{spec.timeout > millis{0} ? spec.timeout : defaults.timeout}
          .count();
  kind.deadline_s = std::chrono::duration<double>{spec.deadline}.count();
  kind.retry =
      rules_for(spec, role == defaults.roles.end() ? nullptr : &role->second, defaults.retry);
  return kind;
}

/// An agent for each role, with every skill that some task of the role needs.
std::vector<lab::agent_model> agents_for(const timed_tasks& tasks,
                                         const forecast_options& options) {
  std::map<role_name, skill_map> roles;
  for (const auto& task : tasks.tasks) {
    auto& skills = roles[task.spec.role];
    for (const auto& skill : task.spec.skills)
      skills[skill] = 1;
  }
  std::vector<lab::agent_model> result;
  for (const auto& [role, skills] : roles) {
    lab::agent_model agent;
    agent.role = role;
    agent.skills = skills;
    agent.limit = options.limit;
    result.push_back(std::move(agent));
  }
  return result;
}

void add_tasks(lab::scenario& into, const timed_tasks& tasks, const config& settings,
               const forecast_options& options) {
  lab::chance random{options.seed};
  std::vector<double> arrivals;
  for (const auto& task : tasks.tasks)
    arrivals.push_back(options.over_s > 0 ? random.uniform() * options.over_s : task.arrival_s);
  std::sort(arrivals.begin(), arrivals.end());
  std::unordered_map<task_id, std::uint32_t> places;
  std::unordered_map<std::string, std::uint32_t> contexts;
  for (std::uint32_t i = 0; i < tasks.tasks.size(); ++i)
    places.emplace(tasks.tasks[i].spec.id, i);
  for (std::uint32_t i = 0; i < tasks.tasks.size(); ++i) {
    const auto& [spec, arrival_s, run_s] = tasks.tasks[i];
    lab::task_model task;
    task.arrival_s = arrivals[i];
    task.kind = i; // each may differ in skills, times and labels
    auto mean = mean_duration(spec.role, options);
    auto drawn = lab::distribution::lognormal(mean.value_or(0), options.spread).sample(random);
    task.work_s = std::max(1e-6, mean ? drawn : run_s.value_or(0));
    if (!spec.context_id.empty())
      task.context =
          contexts.emplace(spec.context_id, static_cast<std::uint32_t>(contexts.size() + 1))
              .first->second;
    for (const auto& needed : spec.depends_on)
      task.needs.push_back(places.at(needed));
    task.run_after_failure = spec.on_dependency_failure == dependency_policy::run;
    into.kinds.push_back(kind_of(spec, settings));
    into.tasks.push_back(std::move(task));
  }
}

} // namespace

std::vector<std::string> roles_without_duration(const timed_tasks& tasks,
                                                const forecast_options& options) {
  std::set<std::string> result;
  for (const auto& task : tasks.tasks)
    if (!task.run_s && !mean_duration(task.spec.role, options))
      result.insert(task.spec.role.str());
  return {result.begin(), result.end()};
}

lab::scenario scenario_of(const timed_tasks& tasks, const config& settings,
                          const forecast_options& options, std::optional<std::uint32_t> agents) {
  lab::scenario result;
  result.retry_budget = settings.coordinator.retry_budget;
  auto roles = agents_for(tasks, options);
  if (agents) {
    for (const auto& role : roles)
      result.agents.insert(result.agents.end(), *agents, role);
  } else {
    result.agents = std::move(roles);
    result.scaling.emplace();
    result.scaling->fleet = settings.fleet;
    result.scaling->spawn_delay_s = options.spawn_delay_s;
  }
  add_tasks(result, tasks, settings, options);
  return result;
}

forecast make_forecast(const timed_tasks& tasks, const config& settings,
                       const forecast_options& options, std::optional<std::uint32_t> agents) {
  auto what = scenario_of(tasks, settings, options, agents);
  auto router = settings.router;
  router.seed = options.seed;
  router.max_waiting = std::max(router.max_waiting, what.tasks.size());
  auto run = lab::simulation{what, router, options.seed}.run();
  forecast result;
  result.agents = agents;
  result.figures = lab::figures_of(what, run);
  result.most_agents = run.most_agents;
  for (const auto& end : run.tasks)
    result.all_done_s = std::max(result.all_done_s, end.ended_s);
  return result;
}

} // namespace rolecall
