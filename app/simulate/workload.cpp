#include "app/simulate/workload.hpp"

#include <algorithm>
#include <cmath>

namespace rolecall::lab {

namespace {

/// The quantile of the standard normal distribution, by bisection of its distribution function.
double normal_quantile(double share) {
  auto low = -10.0;
  auto high = 10.0;
  for (int i = 0; i < 60; ++i) {
    auto middle = (low + high) / 2;
    (0.5 * std::erfc(-middle / std::sqrt(2.0)) < share ? low : high) = middle;
  }
  return (low + high) / 2;
}

} // namespace

void add_tasks(scenario& into, std::uint32_t kind, const arrivals& when, const distribution& work,
               chance& random) {
  auto at = when.from_s;
  for (std::size_t made = 0; made < when.most;) {
    // Thinning (Lewis and Shedler 1979): at the highest rate, of which a share is left out.
    at += random.exponential(1 / (when.per_second * when.most_factor));
    if (when.until_s > 0 && at >= when.until_s)
      return;
    auto kept = random.uniform() * when.most_factor < (when.factor ? when.factor(at) : 1);
    if (!kept)
      continue;
    task_model task;
    task.arrival_s = at;
    task.work_s = work.sample(random);
    task.kind = kind;
    into.tasks.push_back(std::move(task));
    ++made;
  }
}

void sort_tasks(scenario& into) {
  std::stable_sort(into.tasks.begin(), into.tasks.end(),
                   [](const auto& a, const auto& b) { return a.arrival_s < b.arrival_s; });
}

std::vector<agent_model> agents_of_many_speeds(agent_model like, std::size_t count, double sigma) {
  std::vector<agent_model> result;
  double sum = 0;
  for (std::size_t i = 0; i < count; ++i) {
    auto share = (static_cast<double>(i) + 0.5) / static_cast<double>(count);
    like.speed = std::exp(sigma * normal_quantile(share));
    sum += like.speed;
    result.push_back(like);
  }
  for (auto& agent : result)
    agent.speed *= static_cast<double>(count) / sum;
  return result;
}

double capacity_of(const scenario& what) {
  double sum = 0;
  for (const auto& agent : what.agents)
    sum += agent.speed * agent.all_cores();
  return sum;
}

} // namespace rolecall::lab
