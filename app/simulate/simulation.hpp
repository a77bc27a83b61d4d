#pragma once

#include "actors/router/routing_table.hpp"
#include "app/simulate/distribution.hpp"
#include "app/simulate/scaled_agents.hpp"
#include "app/simulate/station.hpp"

#include <map>
#include <queue>
#include <vector>

namespace rolecall::lab {

/// What became of a task.
struct task_end {
  double ended_s{0};
  double started_s{0}; ///< its first attempt
  bool completed{false};
  std::uint32_t attempts{0};
};

/// What came of a simulation.
struct run_result {
  std::vector<task_end> tasks; ///< as in the scenario
  std::uint64_t attempts{0};
  std::uint64_t timeouts{0}; ///< of attempts
  double ended_s{0};
  double agent_seconds{0};      ///< that agents were there, from the order to spawn them on
  double busy_agent_seconds{0}; ///< in which they had something to do
  std::size_t most_agents{0};   ///< at the same time
  std::vector<scale_step> steps;
};

/// One run of a scenario. `routing_table` decides who runs what and, where the scenario scales,
/// `fleet` decides how many agents there are; both as in a node. Tasks are tried again by the
/// coordinator's rules: those of the task, within the role's retry budget, on another agent.
///
/// The same scenario, options and seed give the same result.
class simulation {
public:
  simulation(const scenario& what, router_options options, std::uint64_t seed = 1);

  /// Everything, until each task has ended; throws std::runtime_error if that can never be.
  run_result run();

private:
  enum class happening : std::uint8_t { done, error, phase, timeout, deadline, retry, wake, fleet };
  struct event {
    time_point at;
    std::uint64_t number; // the order among those of one time
    happening what;
    std::uint32_t subject; // a station or a task
    std::uint32_t version; // it is void if the subject's is another by then

    bool operator>(const event& other) const {
      return std::tie(at, number) > std::tie(other.at, other.number);
    }
  };
  struct task_state {
    std::uint32_t attempt{0};
    std::uint32_t blockers{0};
    std::uint32_t agent{0};
    bool running{false};
    bool scripted{false}; // its end is not that of its work
    bool ended{false};
    time_point started{};
    std::vector<agent_key> tried;
    std::vector<std::uint32_t> dependents;
  };

  void schedule(time_point at, happening what, std::uint32_t subject, std::uint32_t version);
  void schedule_station(std::uint32_t index);
  void handle(const event& e);
  void arrive(std::uint32_t index);
  void ask(std::uint32_t index);
  void stop_work(std::uint32_t index);
  void report(std::uint32_t index, attempt_outcome outcome);
  void start(const placement& where);
  void end_attempt(std::uint32_t index, verdict how, failure error, millis park = millis{0});
  void end_task(std::uint32_t index, bool completed);
  void settle();
  void add_agent(const agent_record& record, const agent_model& model);
  void arm();

  const scenario& what_;
  chance random_;
  routing_table table_;
  std::optional<scaled_agents> scaled_;
  time_point now_{start_of_time};
  std::uint64_t next_number_{0};
  std::priority_queue<event, std::vector<event>, std::greater<>> events_;
  std::vector<station> stations_;
  std::vector<std::uint32_t> versions_; // of the stations
  std::vector<agent_key> keys_;         // likewise
  std::map<agent_key, std::uint32_t> station_of_;
  std::vector<task_state> tasks_;
  std::vector<std::uint32_t> last_agent_; // of each context, plus 1
  std::map<role_name, retry_budget> budgets_;
  std::uint32_t arrived_{0};
  std::size_t open_{0};
  std::optional<time_point> wake_at_;
  std::optional<time_point> fleet_at_;
  run_result result_;
};

} // namespace rolecall::lab
