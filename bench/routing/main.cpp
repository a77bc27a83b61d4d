// Every routing policy on every scenario, beside what a clairvoyant would do.
#include "app/simulate/bounds.hpp"
#include "app/simulate/figures.hpp"
#include "bench/routing/report.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>

namespace {

using namespace rolecall;
using namespace rolecall::bench;

constexpr std::array policies{routing_policy::adaptive, routing_policy::least_requests,
                              routing_policy::p2c, routing_policy::round_robin,
                              routing_policy::random};

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return lab::quantile(values, 0.5);
}

measured measure(const named_scenario& named, std::size_t seeds, std::size_t tasks) {
  measured result{named, {}, 0, 0};
  std::vector<double> relaxed;
  std::vector<double> clairvoyant;
  std::vector<std::vector<lab::figures>> all(policies.size());
  std::vector<std::vector<double>> quiet(policies.size());
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    auto what = named.make(seed, tasks);
    if (named.bounded) {
      relaxed.push_back(lab::relaxed_bound(what));
      clairvoyant.push_back(lab::clairvoyant_mean(what));
    }
    for (std::size_t p = 0; p < policies.size(); ++p) {
      router_options options;
      options.policy = policies[p];
      options.seed = seed;
      options.max_waiting = 100'000'000;
      auto run = lab::simulation{what, options, seed}.run();
      all[p].push_back(lab::figures_of(what, run));
      quiet[p].push_back(lab::figures_of(what, run, "quiet").p99_s);
    }
  }
  result.relaxed_s = median(relaxed);
  result.clairvoyant_s = median(clairvoyant);
  for (std::size_t p = 0; p < policies.size(); ++p)
    result.policies.push_back({to_string(policies[p]), lab::median_of(all[p]), median(quiet[p])});
  return result;
}

} // namespace

int main(int count, char** arguments) {
  CLI::App app{"Compares the routing policies on simulated agents", "routing"};
  std::size_t seeds = 3;
  std::size_t tasks = 20'000;
  std::string only;
  std::string folder;
  app.add_option("--seeds", seeds, "Runs of each; the medians are told")
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
