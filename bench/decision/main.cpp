// What a routing decision costs, and how that grows with the number of agents.
#include "actors/router/routing_table.hpp"
#include "app/simulate/distribution.hpp"
#include "app/simulate/figures.hpp"

#include <CLI/CLI.hpp>

#include <array>
#include <chrono>
#include <cstdio>
#include <deque>

namespace {

using namespace rolecall;
using clock_type = std::chrono::steady_clock;

constexpr std::array policies{routing_policy::adaptive, routing_policy::least_requests,
                              routing_policy::p2c, routing_policy::round_robin,
                              routing_policy::random};

struct setting {
  const char* name;
  std::uint32_t limit;
  double in_flight; ///< per agent
  bool line;        ///< tasks wait all the time
};

constexpr std::array settings{
    setting{"limit 1, four fifths busy", 1, 0.8, false},
    setting{"limit 1, all busy, a line", 1, 1, true},
    setting{"limit 64, 8 in flight each", 64, 8, false},
};

/// A router at work: so many agents of one role, and so much in flight all the time. One cycle is a
/// task that ends, one that comes, and what is decided then.
class router_at_work {
public:
  router_at_work(routing_policy policy, const setting& how, std::size_t agents)
      : table_{options(policy)} {
    agent_snapshot snapshot;
    for (std::size_t i = 0; i < agents; ++i) {
      agent_record record;
      record.key = {service_name{"lab"}, agent_id{"a" + std::to_string(i)}};
      record.role = role_name{"worker"};
      record.max_concurrency = how.limit;
      record.revision = i + 1;
      snapshot.agents.push_back(std::move(record));
    }
    table_.reset(snapshot, now_);
    auto busy = static_cast<std::size_t>(how.in_flight * static_cast<double>(agents));
    for (std::size_t i = 0; i < busy + (how.line ? 1'000 : 0); ++i) {
      place();
      take();
    }
    for (std::size_t i = 0; i < 2 * busy; ++i) // so that every agent has a history
      cycle();
  }

  void cycle() {
    now_ += std::chrono::microseconds{10};
    // Mostly those that have run the longest, as it is with real ones.
    auto place_of = random_.below(std::min<std::size_t>(running_.size(), 16));
    std::swap(running_[place_of], running_.front());
    auto outcome = std::move(running_.front());
    running_.pop_front();
    outcome.elapsed = micros{static_cast<micros::rep>(1e5 * (0.5 + random_.uniform()))};
    table_.finished(outcome, now_);
    take();
    place();
    take();
  }

private:
  static router_options options(routing_policy policy) {
    router_options result;
    result.policy = policy;
    return result;
  }

  void place() {
    placement_request request;
    request.task = task_id{"t" + std::to_string(++age_)};
    request.attempt = 1;
    request.role = role_name{"worker"};
    request.age = age_;
    table_.place(std::move(request));
  }

  void take() {
    for (const auto& decision : table_.dispatch(now_))
      if (const auto* where = std::get_if<placement>(&decision)) {
        attempt_outcome outcome;
        outcome.task = where->task;
        outcome.attempt = where->attempt;
        outcome.agent = where->agent.key;
        outcome.verdict = verdict::completed;
        running_.push_back(std::move(outcome));
      }
    table_.take_demand();
  }

  routing_table table_;
  clock_type::time_point now_{};
  lab::chance random_{1};
  std::uint64_t age_{0};
  std::deque<attempt_outcome> running_;
};

/// Median over batches, in nanoseconds a cycle.
double cost(routing_policy policy, const setting& how, std::size_t agents, std::size_t cycles) {
  router_at_work router{policy, how, agents};
  std::vector<double> batches;
  constexpr std::size_t batch = 200;
  for (std::size_t made = 0; made < cycles; made += batch) {
    auto from = clock_type::now();
    for (std::size_t i = 0; i < batch; ++i)
      router.cycle();
    std::chrono::duration<double, std::nano> took{clock_type::now() - from};
    batches.push_back(took.count() / batch);
  }
  std::sort(batches.begin(), batches.end());
  return lab::quantile(batches, 0.5);
}

} // namespace

int main(int count, char** arguments) {
  CLI::App app{"What a routing decision costs with 10 to 10,000 agents", "decision"};
  std::size_t cycles = 20'000;
  app.add_option("--cycles", cycles, "Decisions that are timed, for each figure")
      ->capture_default_str()
      ->check(CLI::Range(1'000, 100'000'000));
  CLI11_PARSE(app, count, arguments);
  constexpr std::array<std::size_t, 4> fleets{10, 100, 1'000, 10'000};
  std::printf("ns for a task that ends, one that comes, and the decision; last: 10,000 agents "
              "against 10\n\n%-28s %-15s %9s %9s %9s %9s %7s\n",
              "", "policy", "10", "100", "1,000", "10,000", "ratio");
  for (const auto& how : settings)
    for (auto policy : policies) {
      std::printf("%-28s %-15s", how.name, to_string(policy).c_str());
      double first = 0;
      double last = 0;
      for (auto agents : fleets) {
        last = cost(policy, how, agents, cycles);
        first = first == 0 ? last : first;
        std::printf(" %9.0f", last);
        std::fflush(stdout);
      }
      std::printf(" %7.2f\n", last / first);
    }
  return 0;
}
