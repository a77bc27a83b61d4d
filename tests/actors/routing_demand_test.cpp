// What the router tells the manager of a role's work: how much of it another agent would help, and
// how much an agent takes.
#include "tests/support/routing_world.hpp"

#include <catch2/catch.hpp>

#include <functional>

using namespace rolecall;
using namespace rolecall::tests;
using namespace std::chrono_literals;

namespace {

struct tenants : world {
  explicit tenants(router_options options) : world{std::move(options)} {}

  void place_for(const std::string& tenant, int count) {
    for (int i = 0; i < count; ++i) {
      auto what = request(tenant + std::to_string(i));
      what.fairness_key = tenant;
      place(what);
    }
  }
};

/// Keeps the agents as busy as they may be: an attempt takes longer the more an agent has.
void work(world& w, int attempts, const std::function<double(double)>& micros_at) {
  static int next = 0;
  for (int i = 0; i < attempts; ++i) {
    while (w.place("w" + std::to_string(++next)))
      continue;
    auto [task, agent] = *w.at.begin();
    double in_flight = 0;
    for (const auto& [other, on] : w.at)
      in_flight += on == agent;
    w.now += 1ms;
    w.end(task.first, verdict::completed, micros{static_cast<int>(micros_at(in_flight))});
  }
}

double eight_cores(double in_flight) {
  return 1'000 * std::max(1.0, in_flight / 8);
}

} // namespace

TEST_CASE("what was withdrawn while its key was at its limit holds up nobody who comes later") {
  router_options options;
  options.key_limits["k"].max_parallel = 1;
  world w{options};
  w.up(1, 2);
  auto of_key = [&](const std::string& task) {
    auto result = w.request(task);
    result.fairness_key = "k";
    return result;
  };
  CHECK(w.place(of_key("one")));
  CHECK_FALSE(w.place(of_key("two")));
  CHECK(w.table.withdraw(task_id{"two"}));
  w.settle();
  CHECK(w.place("filler"));
  w.end("one");
  CHECK(w.place("another"));
  CHECK_FALSE(w.place(of_key("three"))); // nobody is free
  w.end("filler");
  CHECK(w.at.contains({"three", 1}));
}

TEST_CASE("tasks that a cap of their role holds are no demand") {
  router_options options;
  options.role_limits[worker].max_parallel = 3;
  world w{options};
  for (int i = 0; i < 10; ++i)
    w.place("t" + std::to_string(i));
  CHECK(w.demand().waiting == 3);
  w.up(1);
  w.settle();
  CHECK(w.demand().running == 1);
  CHECK(w.demand().waiting == 2);
  w.up(2, 8);
  w.settle();
  CHECK(w.demand().waiting == 0);
  CHECK(w.table.status(w.now).roles.at(0).waiting == 7); // those who ask see all that wait
  w.down(2);
  w.end("t0");
  CHECK(w.at.size() == 3);
  CHECK(w.demand().waiting == 0);
}

TEST_CASE("tasks that the rate of their role holds are no demand until it lets them go") {
  router_options options;
  options.role_limits[worker] = {0, 1, 2};
  world w{options};
  for (int i = 0; i < 10; ++i)
    w.place("t" + std::to_string(i));
  CHECK(w.demand().waiting == 2);
  w.up(1);
  w.settle();
  w.end("t0");
  w.end("t1");
  CHECK(w.demand().waiting == 0);
  w.down(1); // nobody is there when the rate allows the next
  w.settle();
  auto due = w.table.next_due();
  REQUIRE(due);
  CHECK(*due <= w.now + 1'001ms);
  w.now = *due;
  w.settle();
  CHECK(w.demand().waiting == 1);
}

TEST_CASE("tasks that a cap of their fairness key holds are no demand") {
  router_options options;
  options.key_limits["greedy"].max_parallel = 2;
  tenants w{options};
  w.place_for("greedy", 100);
  CHECK(w.demand().waiting == 2);
  w.place_for("modest", 3);
  CHECK(w.demand().waiting == 5);
  w.up(1); // one agent: the others of the key cannot be looked at
  w.settle();
  CHECK(w.demand().running == 1);
  CHECK(w.demand().waiting == 4);
  w.up(2, 8);
  w.settle();
  CHECK(w.demand().running == 5);
  CHECK(w.demand().waiting == 0);
  w.down(2);
  w.end("greedy0");
  CHECK(w.demand().waiting <= 1);
  for (int i = 0; i < 100; ++i)
    w.table.withdraw(task_id{"greedy" + std::to_string(i)});
  w.settle();
  CHECK(w.demand().waiting == 0);
}

TEST_CASE("tasks that the rate of their fairness key holds are demand once it lets them go") {
  router_options options;
  options.key_limit = {0, 10, 1};
  tenants w{options};
  w.place_for("a", 5);
  w.place_for("b", 5);
  CHECK(w.demand().waiting == 2);
  w.up(1, 8);
  w.settle();
  CHECK(w.demand().running == 2);
  CHECK(w.demand().waiting == 0);
  w.end("a0");
  w.end("b0");
  w.down(1);
  w.settle();
  w.now += 101ms;
  REQUIRE(w.table.next_due());
  CHECK(*w.table.next_due() <= w.now);
  w.settle();
  CHECK(w.demand().waiting == 2);
}

TEST_CASE("what an agent takes is what its service says, less what the configuration forbids") {
  router_options options;
  SECTION("its service") {
    world w{options};
    w.up(1, 6);
    w.place("t");
    CHECK(w.demand().slots == 0); // it never had to be told
    w.table.idle(worker, 0ms, w.now);
    CHECK(w.demand().slots == 6);
  }
  SECTION("the configuration") {
    options.agent_limits[worker].max_parallel = 2;
    world w{options};
    w.up(1, 6);
    for (int i = 0; i < 3; ++i)
      w.place("t" + std::to_string(i));
    CHECK(w.demand().slots == 2);
  }
}

TEST_CASE("what an agent takes of which nobody says it is learnt, and others begin with it") {
  world w;
  w.up(1, 64, false);
  CHECK(w.table.status(w.now).agents.at(0).limit == 1);
  for (int i = 0; i < 3; ++i)
    w.place("t" + std::to_string(i));
  CHECK(w.at.size() == 1);
  CHECK(w.demand().slots == 1);
  CHECK_FALSE(w.demand().slots_known);
  work(w, 2'000, eight_cores);
  CHECK(w.table.status(w.now).agents.at(0).limit <= 11);
  CHECK(w.demand().slots > 6);
  CHECK(w.demand().slots < 11);
  w.up(2, 64, false);
  CHECK(w.table.status(w.now).agents.at(1).limit >= 6);
  w.down(1);
  w.down(2);
  w.settle();
  CHECK(w.demand().slots > 6); // for the next one
  CHECK(w.demand().slots_known);
  w.up(3, 64, false);
  CHECK(w.table.status(w.now).agents.at(0).limit >= 6);
}

TEST_CASE("a declared limit of 1 stays, and one that is not declared never passes the most") {
  world w;
  w.up(1, 1);
  w.up(2, 4, false);
  work(w, 1'000, [](double) { return 1'000.0; });
  CHECK(w.table.status(w.now).agents.at(0).limit == 1);
  CHECK(w.table.status(w.now).agents.at(1).limit <= 4);
  CHECK(w.table.status(w.now).agents.at(1).limit >= 3);
}

TEST_CASE("an agent that answers 429 or in no time gets less, one that answers 500 does not") {
  world w;
  w.up(1, 64, false);
  work(w, 3'000, [](double) { return 1'000.0; });
  auto limit = [&] { return w.table.status(w.now).agents.at(0).limit; };
  auto before = limit();
  REQUIRE(before >= 45);
  auto fail_all = [&](ec kind) {
    auto running = w.at;
    for (const auto& [task, agent] : running)
      w.end(task.first, verdict::retryable, 1ms, kind);
  };
  SECTION("429") {
    for (int round = 0; round < 3; ++round) {
      fail_all(ec::agent_busy);
      w.now += 2s;
      work(w, 1, [](double) { return 1'000.0; });
    }
    CHECK(limit() < before);
  }
  SECTION("500") {
    auto one = w.at.begin()->first.first;
    w.end(one, verdict::retryable, 1ms, ec::http_status);
    CHECK(limit() == before);
  }
}
