#include "app/simulate/bounds.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <queue>
#include <set>

namespace rolecall::lab {

namespace {

constexpr double never = std::numeric_limits<double>::infinity();

/// A speed that changes at known times.
struct profile {
  std::vector<std::pair<double, double>> steps; // from when, how fast

  double end_of(double from, double work) const {
    for (auto i = step_at(from); i < steps.size(); ++i) {
      auto start = std::max(from, steps[i].first);
      auto most = steps[i].second > 0 ? steps[i].second * (end_of_step(i) - start) : 0;
      if (steps[i].second > 0 && work <= most)
        return start + work / steps[i].second;
      work -= most;
    }
    return never;
  }
  double work_in(double from, double until) const {
    double sum = 0;
    for (auto i = step_at(from); i < steps.size() && steps[i].first < until; ++i)
      sum += steps[i].second * (std::min(until, end_of_step(i)) - std::max(from, steps[i].first));
    return sum;
  }
  double fastest() const {
    double best = 0;
    for (const auto& [from, speed] : steps)
      best = std::max(best, speed);
    return best;
  }

private:
  std::size_t step_at(double at) const {
    auto after = std::upper_bound(steps.begin(), steps.end(), std::pair{at, never});
    return after == steps.begin() ? 0 : static_cast<std::size_t>(after - steps.begin()) - 1;
  }
  double end_of_step(std::size_t i) const {
    return i + 1 < steps.size() ? steps[i + 1].first : never;
  }
};

profile profile_of(const agent_model& agent) {
  profile result;
  result.steps.emplace_back(0, agent.speed_at(0));
  for (const auto& p : agent.phases)
    result.steps.emplace_back(p.from_s, agent.speed_at(p.from_s));
  return result;
}

profile total_of(const scenario& what) {
  std::set<double> times{0};
  for (const auto& agent : what.agents)
    for (const auto& p : agent.phases)
      times.insert(p.from_s);
  profile result;
  for (auto at : times) {
    double sum = 0;
    for (const auto& agent : what.agents)
      sum += agent.speed_at(at) * agent.all_cores();
    result.steps.emplace_back(at, sum);
  }
  return result;
}

/// For each kind of task and each agent: the factor of its work there; 0 if it cannot have it.
std::vector<std::vector<double>> factors_of(const scenario& what) {
  std::vector<std::vector<double>> result;
  for (const auto& kind : what.kinds) {
    auto& row = result.emplace_back();
    for (const auto& agent : what.agents)
      row.push_back(agent.role == kind.role ? agent.factor(kind.skills).value_or(0) : 0);
  }
  return result;
}

double alone(const scenario& what, const std::vector<std::vector<double>>& factors) {
  std::vector<double> best(what.kinds.size(), never); // seconds per work
  for (std::size_t a = 0; a < what.agents.size(); ++a) {
    auto speed = profile_of(what.agents[a]).fastest();
    for (std::size_t k = 0; k < best.size(); ++k)
      if (factors[k][a] > 0 && speed > 0)
        best[k] = std::min(best[k], factors[k][a] / speed);
  }
  double sum = 0;
  for (const auto& task : what.tasks)
    sum += task.work_s * best[task.kind] * what.context_gain;
  return sum;
}

double pooled(const scenario& what, const std::vector<std::vector<double>>& factors) {
  auto total = total_of(what);
  std::vector<double> least(what.kinds.size(), never);
  for (std::size_t k = 0; k < least.size(); ++k)
    for (auto factor : factors[k])
      if (factor > 0)
        least[k] = std::min(least[k], factor);
  struct waiting {
    double left;
    double arrival;
    bool operator>(const waiting& other) const { return left > other.left; }
  };
  std::priority_queue<waiting, std::vector<waiting>, std::greater<>> line;
  double now = 0;
  double sum = 0;
  auto serve_until = [&](double until) {
    while (!line.empty()) {
      auto first = line.top();
      auto end = total.end_of(now, first.left);
      line.pop();
      if (end > until) {
        line.push({first.left - total.work_in(now, until), first.arrival});
        break;
      }
      sum += end - first.arrival;
      now = end;
    }
    now = until;
  };
  for (const auto& task : what.tasks) {
    serve_until(task.arrival_s);
    line.push({task.work_s * least[task.kind] * what.context_gain, task.arrival_s});
  }
  serve_until(never);
  return sum;
}

/// The clairvoyant scheduler of the header.
class clairvoyant {
public:
  clairvoyant(const scenario& what, bool shortest_first, bool waits)
      : what_{what}, factors_{factors_of(what)}, shortest_first_{shortest_first}, waits_{waits} {
    for (std::size_t a = 0; a < what.agents.size(); ++a) {
      profiles_.push_back(profile_of(what.agents[a]));
      auto cores = static_cast<std::size_t>(std::max(1.0, std::floor(what.agents[a].all_cores())));
      for (std::size_t i = 0; i < cores; ++i)
        agent_of_.push_back(a);
    }
    free_at_.resize(agent_of_.size());
    last_agent_.resize(1);
  }

  double mean() {
    std::size_t next = 0;
    while (next < what_.tasks.size() || !waiting_.empty()) {
      auto arrival = next < what_.tasks.size() ? what_.tasks[next].arrival_s : never;
      auto freed = frees_.empty() ? never : frees_.top();
      if (arrival == never && freed == never)
        return never; // somebody can never be served
      if (arrival <= freed) {
        auto index = static_cast<std::uint32_t>(next++);
        waiting_.emplace(shortest_first_ ? what_.tasks[index].work_s : arrival, index);
        look(arrival);
      } else {
        frees_.pop();
        look(freed);
      }
    }
    return sum_ / static_cast<double>(what_.tasks.size());
  }

private:
  void look(double now) {
    auto plan = free_at_;
    auto free = std::count_if(plan.begin(), plan.end(), [&](auto at) { return at <= now; });
    for (auto it = waiting_.begin(); it != waiting_.end() && free > 0;) {
      auto [core, end] = best(it->second, plan, now);
      if (core == plan.size()) {
        ++it;
        continue;
      }
      auto at_once = plan[core] <= now;
      free -= at_once ? 1 : 0;
      plan[core] = end;
      if (!at_once) {
        ++it;
        continue;
      }
      const auto& task = what_.tasks[it->second];
      free_at_[core] = end;
      frees_.push(end);
      sum_ += end - task.arrival_s;
      remember(task.context, agent_of_[core]);
      it = waiting_.erase(it);
    }
  }

  std::pair<std::size_t, double> best(std::uint32_t index, const std::vector<double>& plan,
                                      double now) const {
    const auto& task = what_.tasks[index];
    std::pair<std::size_t, double> result{plan.size(), never};
    for (std::size_t core = 0; core < plan.size(); ++core) {
      auto agent = agent_of_[core];
      auto factor = factors_[task.kind][agent];
      if (factor == 0 || (!waits_ && plan[core] > now))
        continue;
      auto known = task.context != 0 && task.context < last_agent_.size() &&
                   last_agent_[task.context] == agent + 1;
      auto work = task.work_s * factor * (known ? what_.context_gain : 1);
      auto end = profiles_[agent].end_of(std::max(now, plan[core]), work);
      if (end < result.second)
        result = {core, end};
    }
    return result;
  }

  void remember(std::uint32_t context, std::size_t agent) {
    if (context == 0)
      return;
    if (last_agent_.size() <= context)
      last_agent_.resize(context + 1);
    last_agent_[context] = agent + 1;
  }

  const scenario& what_;
  std::vector<std::vector<double>> factors_;
  bool shortest_first_;
  bool waits_; // for a core that is busy yet
  std::vector<profile> profiles_;
  std::vector<std::size_t> agent_of_; // each core
  std::vector<double> free_at_;
  std::set<std::pair<double, std::uint32_t>> waiting_;
  std::priority_queue<double, std::vector<double>, std::greater<>> frees_;
  std::vector<std::size_t> last_agent_; // of each context, plus 1
  double sum_{0};
};

} // namespace

double relaxed_bound(const scenario& what) {
  auto factors = factors_of(what);
  return std::max(alone(what, factors), pooled(what, factors)) /
         static_cast<double>(std::max<std::size_t>(1, what.tasks.size()));
}

double clairvoyant_mean(const scenario& what) {
  auto best = never;
  for (auto shortest_first : {false, true})
    for (auto waits : {false, true})
      best = std::min(best, clairvoyant{what, shortest_first, waits}.mean());
  return best;
}

double work_possible(const scenario& what, double until_s) {
  return total_of(what).work_in(0, until_s);
}

} // namespace rolecall::lab
