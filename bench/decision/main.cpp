// What a routing decision costs, and an agent that comes and goes, and how that grows with the
// number of agents.
#include <caf/message.hpp> // which what comes next needs whole

#include "actors/registry/registry_actor.hpp"
#include "actors/router/router_actor.hpp"
#include "app/simulate/distribution.hpp"
#include "app/simulate/figures.hpp"

#include <CLI/CLI.hpp>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/scheduler/test_coordinator.hpp>
#include <caf/send.hpp>

#include <array>
#include <chrono>
#include <cstdio>
#include <deque>
#include <memory>
#include <stdexcept>

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

constexpr std::array<std::size_t, 5> fleets{10, 100, 1'000, 10'000, 100'000};

agent_record agent(const std::string& id, std::uint64_t revision) {
  agent_record result;
  result.key = {service_name{"lab"}, agent_id{id}};
  result.role = role_name{"worker"};
  result.revision = revision;
  return result;
}

/// The registry and the router, as actors that run when they are told to, with so many agents.
class registry_and_router {
public:
  explicit registry_and_router(std::size_t agents)
      : system_{config_},
        scheduler_{dynamic_cast<caf::scheduler::test_coordinator&>(system_.scheduler())},
        registry_{system_.spawn(registry, registry_options{1'000'000})},
        router_{system_.spawn(router, registry_, router_options{})} {
    for (std::size_t i = 0; i < agents; ++i)
      caf::anon_send(registry_, atom::put_v, agent("a" + std::to_string(i), ++revision_));
    scheduler_.run();
  }
  ~registry_and_router() {
    caf::anon_send_exit(router_, caf::exit_reason::user_shutdown);
    caf::anon_send_exit(registry_, caf::exit_reason::user_shutdown);
    scheduler_.run();
  }
  registry_and_router(const registry_and_router&) = delete;
  registry_and_router& operator=(const registry_and_router&) = delete;

  /// The registry is told of an agent, then of its end; each time until the router knows.
  void change() {
    auto record = agent("extra", ++revision_);
    auto key = record.key;
    caf::anon_send(registry_, atom::put_v, std::move(record));
    scheduler_.run();
    caf::anon_send(registry_, atom::remove_v, key);
    scheduler_.run();
  }

private:
  struct config : caf::actor_system_config {
    config() {
      add_messages(*this);
      set("scheduler.policy", caf::atom("testing"));
    }
  };

  config config_;
  caf::actor_system system_;
  caf::scheduler::test_coordinator& scheduler_;
  registry_actor registry_;
  router_actor router_;
  std::uint64_t revision_{0};
};

/// A router at work: so many agents of one role, and so much in flight all the time. One cycle is a
/// task that ends, one that comes, and what is decided then.
class router_at_work {
public:
  router_at_work(routing_policy policy, const setting& how, std::size_t agents)
      : table_{options(policy)} {
    agent_snapshot snapshot;
    snapshot.sequence = 1;
    for (std::size_t i = 0; i < agents; ++i) {
      snapshot.agents.push_back(agent("a" + std::to_string(i), i + 1));
      snapshot.agents.back().max_concurrency = how.limit;
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

  /// An agent comes, and goes.
  void change() {
    auto record = agent("extra", 0);
    for (auto what : {agent_change::up, agent_change::down}) {
      now_ += std::chrono::microseconds{10};
      if (!table_.apply({++sequence_, what, record}, now_))
        throw std::logic_error{"an event was not the next one"};
      take();
    }
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
  std::uint64_t sequence_{1}; // of the registry's events
  std::deque<attempt_outcome> running_;
};

/// Median over rounds for each of the fleets, in nanoseconds a cycle. They take turns, so that
/// whatever else the machine does hits all of them; what is timed starts with warm caches.
/// @param make what is to be timed, with so many agents
/// @param what one cycle of it
template <class Make, class Cycle>
std::vector<double> costs(std::size_t rounds, Make make, Cycle what) {
  constexpr std::size_t batch = 500;
  std::vector<decltype(make(fleets.front()))> made_of;
  for (auto agents : fleets)
    made_of.push_back(make(agents));
  std::vector<std::vector<double>> times(fleets.size());
  for (std::size_t round = 0; round < rounds; ++round)
    for (std::size_t i = 0; i < fleets.size(); ++i) {
      auto run = [&] {
        for (std::size_t made = 0; made < batch; ++made)
          ((*made_of[i]).*what)();
      };
      run();
      auto from = clock_type::now();
      run();
      std::chrono::duration<double, std::nano> took{clock_type::now() - from};
      times[i].push_back(took.count() / batch);
    }
  std::vector<double> result;
  for (auto& each : times) {
    std::sort(each.begin(), each.end());
    result.push_back(lab::quantile(each, 0.5));
  }
  return result;
}

} // namespace

int main(int count, char** arguments) {
  CLI::App app{"What a routing decision costs with 10 to 100,000 agents", "decision"};
  std::size_t rounds = 41;
  app.add_option("--rounds", rounds, "Of 500 decisions for each figure, which is their median")
      ->capture_default_str()
      ->check(CLI::Range(3, 100'000));
  CLI11_PARSE(app, count, arguments);
  auto print = [&](const char* name, const std::string& policy, const std::vector<double>& each) {
    std::printf("%-28s %-15s", name, policy.c_str());
    for (auto cost : each)
      std::printf(" %9.0f", cost);
    std::printf(" %7.2f %7.2f\n", each[3] / each.front(), each.back() / each.front());
    std::fflush(stdout);
  };
  auto print_router = [&](routing_policy policy, const setting& how,
                          void (router_at_work::*what)()) {
    auto make = [&](std::size_t agents) {
      return std::make_unique<router_at_work>(policy, how, agents);
    };
    print(how.name, to_string(policy), costs(rounds, make, what));
  };
  std::printf("ns for an agent that comes, and goes: from the registry's knowing of it to the "
              "router's, then the router's part alone; columns as below\n\n");
  auto make = [](std::size_t agents) { return std::make_unique<registry_and_router>(agents); };
  print("idle", "adaptive", costs(rounds, make, &registry_and_router::change));
  for (const auto& how : settings)
    print_router(routing_policy::adaptive, how, &router_at_work::change);
  std::printf(
      "\nns for a task that ends, one that comes, and the decision; last: 10,000 and 100,000 "
      "agents against 10\n\n%-28s %-15s %9s %9s %9s %9s %9s %7s %7s\n",
      "", "policy", "10", "100", "1,000", "10,000", "100,000", "10,000", "100,000");
  for (const auto& how : settings)
    for (auto policy : policies)
      print_router(policy, how, &router_at_work::cycle);
  return 0;
}
