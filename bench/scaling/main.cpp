// The manager's scaling on loads that change, beside an oracle that knows them.
#include "app/simulate/figures.hpp"
#include "app/simulate/workload.hpp"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <numbers>

namespace {

using namespace rolecall;
using namespace rolecall::lab;

struct load_shape {
  std::string name;
  double per_second; ///< tasks, on average
  double most_factor;
  std::function<double(double)> factor;
  double failures{0};
  std::vector<std::pair<double, double>> outages{};
  double task_s{1}; ///< the work of a task, on average
};

constexpr double length_s = 1'800; // in which tasks come

std::vector<load_shape> load_shapes() {
  auto steady = [](double) { return 1.0; };
  auto burst = [](double at) { return at >= 600 && at < 630 ? 20.0 : 1.0; };
  auto on_and_off = [](double at) { return std::fmod(at, 600) < 300 ? 1.0 : 0.0; };
  auto batches = [](double at) { return std::fmod(at, 120) < 0.2 ? 100.0 : 0.0; };
  return {
      {"base load", 2, 1, steady},
      {"burst of 20 x for 30 s", 2, 20, burst},
      {"wave (a day in half an hour)", 10, 2,
       [](double at) { return 1 + std::sin(2 * std::numbers::pi * at / length_s); }},
      {"on and off every 5 minutes", 10, 1, on_and_off},
      {"a task every 4 minutes", 1.0 / 240, 1, steady},
      {"base load of short tasks", 20, 1, steady, 0, {}, 0.1},
      {"burst of 20 x of short tasks", 20, 20, burst, 0, {}, 0.1},
      {"short tasks, on and off", 100, 1, on_and_off, 0, {}, 0.1},
      {"400 short tasks at once, each 2 min", 20, 100, batches, 0, {}, 0.1},
      {"burst, a fifth of spawns fails", 2, 20, burst, 0.2},
      {"burst, no spawn for its first 20 s", 2, 20, burst, 0, {{600, 620}}},
  };
}

scenario make(const load_shape& load, double spawn_delay_s, std::uint64_t seed) {
  scenario what;
  what.agents.resize(1);
  what.kinds.resize(1);
  what.kinds[0].timeout_s = 600;
  what.scaling.emplace();
  auto& fleet = what.scaling->fleet;
  fleet.services = {{service_name{"lab"}, "http://lab"}};
  fleet.defaults.max_agents = 100;
  what.scaling->spawn_delay_s = spawn_delay_s;
  what.scaling->spawn_failures = load.failures;
  what.scaling->outages = load.outages;
  what.run_until_s = length_s + 300;
  chance random{seed};
  arrivals when;
  when.per_second = load.per_second;
  when.until_s = length_s;
  when.factor = load.factor;
  when.most_factor = load.most_factor;
  add_tasks(what, 0, when, distribution::lognormal(load.task_s, 0.5), random);
  return what;
}

/// Agent-seconds of somebody who knows every task ahead: each task runs when it comes, on the
/// first of the agents that is free, within the same maximum; agents are spawned just in time,
/// which costs the spawn delay, and are kept between two tasks if that is cheaper. With `kept_s`
/// each agent is also kept for so long after its last task, as the configuration asks for.
double oracle(const scenario& what, double kept_s) {
  const auto& scaling = *what.scaling;
  std::vector<double> free_at; // of the agents that it has used so far
  double cost = 0;
  for (const auto& task : what.tasks) {
    std::size_t first = 0;
    while (first < free_at.size() && free_at[first] > task.arrival_s)
      ++first;
    if (first == free_at.size() && first < scaling.fleet.defaults.max_agents) {
      free_at.push_back(task.arrival_s);
      cost += scaling.spawn_delay_s;
    } else if (first == free_at.size()) {
      first = static_cast<std::size_t>(std::min_element(free_at.begin(), free_at.end()) -
                                       free_at.begin());
    }
    auto start = std::max(free_at[first], task.arrival_s);
    auto gap = start - free_at[first];
    cost += gap <= std::max(kept_s, scaling.spawn_delay_s) ? gap : kept_s + scaling.spawn_delay_s;
    cost += task.work_s;
    free_at[first] = start + task.work_s;
  }
  return cost + kept_s * static_cast<double>(free_at.size());
}

/// How often the number of agents has turned from growing to shrinking or back.
std::size_t turns(const std::vector<scale_step>& steps) {
  std::size_t result = 0;
  auto direction = 0;
  for (std::size_t i = 1; i < steps.size(); ++i) {
    auto now = steps[i].agents > steps[i - 1].agents ? 1 : -1;
    result += direction != 0 && now != direction ? 1 : 0;
    direction = now;
  }
  return result;
}

nlohmann::ordered_json measure(const load_shape& load, double spawn_delay_s, std::uint64_t seed) {
  auto what = make(load, spawn_delay_s, seed);
  router_options options;
  options.seed = seed;
  auto run = simulation{what, options, seed}.run();
  auto f = figures_of(what, run);
  std::vector<double> waits;
  for (std::size_t i = 0; i < run.tasks.size(); ++i)
    waits.push_back(run.tasks[i].started_s - what.tasks[i].arrival_s);
  std::sort(waits.begin(), waits.end());
  auto kept = std::chrono::duration<double>{what.scaling->fleet.defaults.idle_timeout}.count();
  return {{"load", load.name},
          {"spawn_delay_s", spawn_delay_s},
          {"tasks", what.tasks.size()},
          {"success", f.success},
          {"wait_mean_s", f.wait_mean_s},
          {"wait_p99_s", quantile(waits, 0.99)},
          {"wait_most_s", quantile(waits, 1)},
          {"agent_seconds", f.agent_seconds},
          {"oracle_s", oracle(what, 0)},
          {"oracle_that_keeps_s", oracle(what, kept)},
          {"most_agents", run.most_agents},
          {"turns", turns(run.steps)},
          {"agents_at_the_end", run.steps.empty() ? 0 : run.steps.back().agents}};
}

} // namespace

int main(int count, char** arguments) {
  CLI::App app{"The manager's scaling on simulated loads, beside an oracle", "scaling"};
  std::uint64_t seed = 1;
  std::string folder;
  app.add_option("--seed", seed, "Of all chance")->capture_default_str();
  app.add_option("--out", folder, "Folder for scaling.json")->type_name("DIRECTORY");
  CLI11_PARSE(app, count, arguments);
  auto all = nlohmann::ordered_json::array();
  std::printf("%-36s %6s %6s %8s %8s %8s %9s %9s %9s %6s %5s %6s %4s\n", "load", "spawn", "tasks",
              "success", "wait", "p99", "agent-s", "oracle", "keeps", "ratio", "most", "turns",
              "end");
  for (const auto& load : load_shapes())
    for (auto delay : {0.5, 2.0, 10.0}) {
      auto row = measure(load, delay, seed);
      auto value = [&](const char* key) { return row.at(key).get<double>(); };
      std::printf("%-36s %6.1f %6.0f %8.4f %8.3f %8.3f %9.0f %9.0f %9.0f %6.2f %5.0f %6.0f %4.0f\n",
                  load.name.c_str(), delay, value("tasks"), value("success"), value("wait_mean_s"),
                  value("wait_p99_s"), value("agent_seconds"), value("oracle_s"),
                  value("oracle_that_keeps_s"),
                  value("agent_seconds") / value("oracle_that_keeps_s"), value("most_agents"),
                  value("turns"), value("agents_at_the_end"));
      std::fflush(stdout);
      all.push_back(std::move(row));
    }
  std::puts(
      "\nwait: mean seconds until the first attempt; oracle: agent-seconds of one who knows the "
      "load;\nkeeps: the same, if it keeps agents for the idle timeout; ratio: agent-s / keeps; "
      "turns: changes of direction");
  if (!folder.empty()) {
    std::filesystem::create_directories(folder);
    std::ofstream{folder + "/scaling.json"} << all.dump(2) << "\n";
  }
  return 0;
}
