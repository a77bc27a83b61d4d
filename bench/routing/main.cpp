// Every routing policy on every scenario, beside what a clairvoyant would do.
#include "app/simulate/bounds.hpp"
#include "app/simulate/figures.hpp"
#include "bench/routing/report.hpp"

#include <CLI/CLI.hpp>

#include <atomic>
#include <cstdio>
#include <future>
#include <thread>

namespace {

using namespace rolecall;
using namespace rolecall::bench;

constexpr std::array policies{routing_policy::adaptive, routing_policy::least_requests,
                              routing_policy::p2c, routing_policy::round_robin,
                              routing_policy::random};

/// What came of one seed.
struct seed_run {
  double relaxed{0};
  double clairvoyant{0};
  std::vector<lab::figures> figures; // of each policy
  std::vector<double> quiet_p99;     // likewise
};

seed_run run_seed(const named_scenario& named, std::uint64_t seed, std::size_t tasks) {
  seed_run result;
  auto what = named.make(seed, tasks);
  if (named.bounded) {
    result.relaxed = lab::relaxed_bound(what);
    result.clairvoyant = lab::clairvoyant_mean(what);
  }
  for (auto policy : policies) {
    router_options options;
    options.policy = policy;
    options.seed = seed;
    options.max_waiting = 100'000'000;
    auto run = lab::simulation{what, options, seed}.run();
    result.figures.push_back(lab::figures_of(what, run));
    result.quiet_p99.push_back(lab::figures_of(what, run, "quiet").p99_s);
  }
  return result;
}

/// Medians over the seeds, which run on all cores.
measured measure(const named_scenario& named, std::size_t seeds, std::size_t tasks) {
  std::vector<seed_run> runs(seeds);
  std::atomic<std::size_t> next{0};
  auto work = [&] {
    for (auto i = next++; i < seeds; i = next++)
      runs[i] = run_seed(named, i + 1, tasks);
  };
  std::vector<std::future<void>> others;
  for (auto core = 1u; core < std::thread::hardware_concurrency(); ++core)
    others.push_back(std::async(std::launch::async, work));
  work();
  for (auto& each : others)
    each.get();
  auto median = [&](auto member) {
    std::vector<double> values;
    for (const auto& run : runs)
      values.push_back(member(run));
    std::sort(values.begin(), values.end());
    return lab::quantile(values, 0.5);
  };
  measured result{named, {}, 0, 0};
  result.relaxed_s = median([](const seed_run& run) { return run.relaxed; });
  result.clairvoyant_s = median([](const seed_run& run) { return run.clairvoyant; });
  for (std::size_t p = 0; p < policies.size(); ++p) {
    std::vector<lab::figures> figures;
    for (const auto& run : runs)
      figures.push_back(run.figures[p]);
    result.policies.push_back({to_string(policies[p]), lab::median_of(figures),
                               median([p](const seed_run& run) { return run.quiet_p99[p]; })});
  }
  return result;
}

} // namespace

int main(int count, char** arguments) {
  CLI::App app{"Compares the routing policies on simulated agents", "routing"};
  std::size_t seeds = 9;
  std::size_t tasks = 20'000;
  std::string only;
  std::string folder;
  app.add_option("--seeds", seeds,
                 "Runs of each; the medians are told. With few, chance decides who is first by 3 %")
      ->capture_default_str()
      ->check(CLI::Range(1, 1'000));
  app.add_option("--tasks", tasks, "In a run")
      ->capture_default_str()
      ->check(CLI::Range(1'000, 100'000'000));
  app.add_option("--only", only, "Scenarios whose names contain this");
  app.add_option("--out", folder, "Folder for routing.md, routing.json and the plots")
      ->type_name("DIRECTORY");
  CLI11_PARSE(app, count, arguments);
  std::vector<measured> results;
  for (const auto& named : routing_scenarios()) {
    if (named.name.find(only) == std::string::npos)
      continue;
    results.push_back(measure(named, seeds, tasks));
    std::fputs(to_text(results.back()).c_str(), stdout);
    std::fflush(stdout);
  }
  std::fputs(verdict_text(results).c_str(), stdout);
  if (!folder.empty())
    write_report(results, folder);
  return 0;
}
