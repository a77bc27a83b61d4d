#include "app/simulate/figures.hpp"

#include "app/simulate/bounds.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace rolecall::lab {

namespace {

template <class Wanted>
figures times_of(const scenario& what, const run_result& result, Wanted wanted) {
  figures f;
  std::vector<double> times;
  double completed = 0;
  double attempts = 0;
  for (std::size_t i = 0; i < what.tasks.size(); ++i) {
    const auto& task = what.tasks[i];
    const auto& kind = what.kinds[task.kind];
    const auto& end = result.tasks[i];
    if (!wanted(kind))
      continue;
    auto took = end.ended_s - task.arrival_s;
    times.push_back(end.completed ? took : std::max(took, kind.timeout_s));
    completed += end.completed ? 1 : 0;
    attempts += end.attempts;
    f.wait_mean_s += (end.attempts > 0 ? end.started_s : end.ended_s) - task.arrival_s;
  }
  if (times.empty())
    return f;
  auto count = static_cast<double>(times.size());
  f.mean_s = std::accumulate(times.begin(), times.end(), 0.0) / count;
  std::sort(times.begin(), times.end());
  f.p50_s = quantile(times, 0.5);
  f.p99_s = quantile(times, 0.99);
  f.p999_s = quantile(times, 0.999);
  f.wait_mean_s /= count;
  f.success = completed / count;
  f.attempts = attempts / count;
  f.timeouts = static_cast<double>(result.timeouts) / count;
  return f;
}

double fairness_of(const scenario& what, const run_result& result) {
  std::map<std::string, std::size_t> places;
  for (const auto& kind : what.kinds)
    places.emplace(kind.tenant, places.size());
  if (places.size() < 2 || what.tasks.empty())
    return 1;
  auto until = what.tasks.back().arrival_s;
  std::vector<double> asked(places.size());
  std::vector<double> done(places.size());
  for (std::size_t i = 0; i < what.tasks.size(); ++i) {
    auto place = places.at(what.kinds[what.tasks[i].kind].tenant);
    asked[place] += what.tasks[i].work_s;
    if (result.tasks[i].completed && result.tasks[i].ended_s <= until)
      done[place] += what.tasks[i].work_s;
  }
  auto fair = max_min_shares(asked, work_possible(what, until));
  for (std::size_t i = 0; i < done.size(); ++i)
    done[i] = fair[i] > 0 ? std::min(1.0, done[i] / fair[i]) : 1;
  return jain_index(done);
}

} // namespace

figures figures_of(const scenario& what, const run_result& result) {
  auto f = times_of(what, result, [](const auto&) { return true; });
  f.fairness = fairness_of(what, result);
  f.agent_seconds = result.agent_seconds;
  f.busy = result.agent_seconds > 0 ? result.busy_agent_seconds / result.agent_seconds : 0;
  return f;
}

figures figures_of(const scenario& what, const run_result& result, const std::string& tenant) {
  return times_of(what, result, [&](const auto& kind) { return kind.tenant == tenant; });
}

double quantile(const std::vector<double>& sorted, double share) {
  if (sorted.empty())
    return 0;
  auto rank = std::ceil(share * static_cast<double>(sorted.size()));
  auto place = static_cast<std::size_t>(std::max(1.0, rank)) - 1;
  return sorted[std::min(place, sorted.size() - 1)];
}

double jain_index(const std::vector<double>& shares) {
  double sum = 0;
  double squares = 0;
  for (auto share : shares) {
    sum += share;
    squares += share * share;
  }
  return squares > 0 ? sum * sum / (static_cast<double>(shares.size()) * squares) : 1;
}

std::vector<double> max_min_shares(const std::vector<double>& asked, double capacity) {
  std::vector<std::size_t> order(asked.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](auto a, auto b) { return asked[a] < asked[b]; });
  std::vector<double> result(asked.size());
  auto left = capacity;
  for (std::size_t i = 0; i < order.size(); ++i) {
    auto share = std::min(asked[order[i]], left / static_cast<double>(order.size() - i));
    result[order[i]] = share;
    left -= share;
  }
  return result;
}

figures median_of(const std::vector<figures>& runs) {
  auto median = [&](double figures::*member) {
    std::vector<double> values;
    for (const auto& run : runs)
      values.push_back(run.*member);
    std::sort(values.begin(), values.end());
    return quantile(values, 0.5);
  };
  figures result;
  for (auto member :
       {&figures::mean_s, &figures::p50_s, &figures::p99_s, &figures::p999_s, &figures::wait_mean_s,
        &figures::success, &figures::timeouts, &figures::attempts, &figures::fairness,
        &figures::agent_seconds, &figures::busy})
    result.*member = median(member);
  return result;
}

} // namespace rolecall::lab
