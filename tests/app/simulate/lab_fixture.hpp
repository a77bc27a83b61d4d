#pragma once

#include "app/simulate/bounds.hpp"
#include "app/simulate/figures.hpp"
#include "app/simulate/workload.hpp"

#include <catch2/catch.hpp>

namespace rolecall::lab::tests {

/// Agents of one role and tasks of one kind, whose attempts may take for ever.
inline scenario plain_scenario(std::size_t agents, agent_model like = {}) {
  scenario result;
  result.agents.assign(agents, like);
  result.kinds.resize(1);
  result.kinds[0].timeout_s = 1e6;
  return result;
}

inline scenario with_tasks(scenario what, double per_second, const distribution& work,
                           std::size_t count, std::uint64_t seed = 1) {
  chance random{seed};
  arrivals when;
  when.per_second = per_second;
  when.most = count;
  add_tasks(what, 0, when, work, random);
  return what;
}

/// A task that comes at a time and takes so long.
inline task_model task_at(double arrival_s, double work_s) {
  task_model task;
  task.arrival_s = arrival_s;
  task.work_s = work_s;
  return task;
}

inline run_result run(const scenario& what, std::uint64_t seed = 1) {
  return simulation{what, router_options{}, seed}.run();
}

inline figures judged(const scenario& what) {
  return figures_of(what, run(what));
}

} // namespace rolecall::lab::tests
