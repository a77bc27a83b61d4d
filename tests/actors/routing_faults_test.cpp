// The routing table when things go wrong: agents that hang, fail fast, or die together, clocks that
// jump, limits, hedges.
#include "tests/support/routing_world.hpp"

#include <catch2/catch.hpp>

#include <deque>

using namespace rolecall;
using namespace rolecall::tests;
using namespace std::chrono_literals;

TEST_CASE("a thousand agents that die within a second leave everything that waits for the next") {
  world w;
  for (int i = 0; i < 1'000; ++i)
    w.up(i);
  for (int i = 0; i < 2'000; ++i)
    w.place("t" + std::to_string(i));
  CHECK(w.at.size() == 1'000);
  for (int i = 0; i < 1'000; ++i) {
    w.now += 1ms;
    w.down(i);
    CHECK(w.settle() == 0);
  }
  auto ran = w.at;
  for (const auto& [task, agent] : ran)
    w.end(task.first, verdict::retryable, 1ms, ec::connection_lost);
  CHECK(w.why("t1500").reason == wait_reason::no_agent);
  for (int i = 1'000; i < 2'000; ++i)
    w.up(i);
  CHECK(w.settle() == 1'000);
  CHECK(w.table.status(w.now).roles.at(0).running == 1'000);
  CHECK(w.table.status(w.now).roles.at(0).waiting == 0);
}

TEST_CASE(
    "a tenant that floods leaves an agent free for one that had one, and is told why it waits") {
  world w;
  for (int i = 0; i < 4; ++i)
    w.up(i);
  auto of = [&](const std::string& tenant, const std::string& task) {
    auto result = w.request(task);
    result.fairness_key = tenant;
    return result;
  };
  REQUIRE(w.place(of("modest", "m1")));
  w.now += 1s;
  w.end("m1", verdict::completed, 1s);
  for (int i = 0; i < 40; ++i)
    w.table.place(of("greedy", "f" + std::to_string(i)));
  w.settle();
  CHECK(w.at.size() == 3);
  auto why = w.why("f30");
  CHECK(why.reason == wait_reason::fair_share);
  CHECK(why.limit == "the fairness key \"greedy\" wants more than its share: those who do have 3 "
                     "attempts running, and leave to the others what those had of late, 1 "
                     "(routing.fairness.headroom)");
  CHECK(w.place(of("modest", "m2")));
  w.now += 100ms;
  w.end("m2", verdict::completed, 100ms);
  CHECK(w.at.size() == 3);
  REQUIRE(w.table.next_due());
  for (int i = 0; i < 3 && w.at.size() == 3; ++i) { // the modest one does not come back
    w.now = std::max(w.now + 1ms, w.table.next_due().value_or(w.now));
    w.settle();
  }
  CHECK(w.at.size() == 4);
}

TEST_CASE("a flood that comes one after the other leaves an agent free once another needed one") {
  world w;
  for (int i = 0; i < 4; ++i)
    w.up(i);
  auto of = [&](const std::string& tenant, const std::string& task) {
    auto result = w.request(task);
    result.fairness_key = tenant;
    return result;
  };
  for (int i = 0; i < 40; ++i)
    w.place(of("greedy", "f" + std::to_string(i)));
  CHECK(w.at.size() == 4);
  CHECK_FALSE(w.place(of("modest", "m1")));
  w.now += 100ms;
  w.end("f0", verdict::completed, 100ms);
  REQUIRE(w.at.contains({"m1", 1}));
  w.now += 100ms;
  w.end("m1", verdict::completed, 100ms);
  CHECK(w.at.size() == 3);
  CHECK(w.place(of("modest", "m2")));
}

TEST_CASE("what has not more than its share waits for nobody's headroom") {
  world w;
  for (int i = 0; i < 4; ++i)
    w.up(i);
  for (int i = 0; i < 8; ++i) {
    auto task = w.request("t" + std::to_string(i));
    task.fairness_key = "tenant " + std::to_string(i);
    w.place(std::move(task));
  }
  CHECK(w.at.size() == 4);
  CHECK(w.why("t7").reason == wait_reason::at_limit);
}

TEST_CASE("while nobody knows how many tasks agents take, nothing is left free") {
  world w;
  for (int i = 0; i < 4; ++i)
    w.up(i, 64, false);
  auto of = [&](const std::string& tenant, const std::string& task) {
    auto result = w.request(task);
    result.fairness_key = tenant;
    return result;
  };
  REQUIRE(w.place(of("modest", "m1")));
  w.now += 1s;
  w.end("m1", verdict::completed, 1s);
  for (int i = 0; i < 40; ++i)
    w.place(of("greedy", "f" + std::to_string(i)));
  CHECK(w.at.size() == 4);
}

TEST_CASE("up to the limit that the router has found itself, a tenant that floods uses an agent") {
  world w;
  w.up(1, 8, false);
  auto number = 0;
  auto flood = [&] {
    auto result = w.request("f" + std::to_string(++number));
    result.fairness_key = "greedy";
    w.place(std::move(result));
  };
  for (int i = 0; i < 100; ++i)
    flood();
  while (w.table.status(w.now).agents.at(0).limit < 8) {
    w.now += 100ms;
    for (const auto& [task, agent] : std::map{w.at})
      w.end(task.first, verdict::completed, 100ms);
    REQUIRE(w.now < routing_table::time_point{1h + 1min});
  }
  w.settle();
  auto modest = w.request("m1");
  modest.fairness_key = "modest";
  w.place(std::move(modest));
  for (int i = 0; i < 3; ++i) {
    w.now += 100ms;
    for (const auto& [task, agent] : std::map{w.at})
      w.end(task.first, verdict::completed, 100ms);
  }
  CHECK(w.at.size() == 7); // one is left to the other
}

TEST_CASE("tasks that take long fill agents of a large limit before any has ended") {
  world w;
  for (int i = 0; i < 100; ++i)
    w.up(i, 90);
  for (int i = 0; i < 9'000; ++i) {
    w.now += 20us;
    w.place("t" + std::to_string(i));
  }
  CHECK(w.at.size() == 9'000);
}

TEST_CASE("an agent that hangs holds up only what it has") {
  world w;
  for (int i = 0; i < 10; ++i)
    w.up(i, 8);
  std::deque<std::pair<routing_table::time_point, std::string>> running;
  std::size_t on_hung = 0;
  for (int i = 0; i < 2'000; ++i) {
    w.now += 1ms; // ten agents could do eight a millisecond
    while (!running.empty() && running.front().first <= w.now) {
      w.end(running.front().second);
      running.pop_front();
    }
    auto task = "t" + std::to_string(i);
    REQUIRE(w.place(task)); // nobody waits
    if (w.at.at({task, 1}) == key(7))
      ++on_hung;
    else
      running.emplace_back(w.now + 10ms, task);
  }
  CHECK(on_hung <= 8);
}

TEST_CASE("an agent that fails fast does not win by being quick") {
  world w;
  for (int i = 0; i < 10; ++i)
    w.up(i);
  std::multimap<routing_table::time_point, std::string> running;
  std::size_t on_failing = 0;
  for (int i = 0; i < 2'000; ++i) {
    w.now += 2ms; // half of what they can do
    while (!running.empty() && running.begin()->first <= w.now) {
      auto task = running.extract(running.begin()).mapped();
      auto fails = w.at.at({task, 1}) == key(3);
      w.end(task, fails ? verdict::retryable : verdict::completed, fails ? micros{100} : 10ms);
    }
    auto task = "t" + std::to_string(i);
    if (!w.place(task))
      continue;
    auto fails = w.at.at({task, 1}) == key(3);
    on_failing += fails;
    running.emplace(w.now + (fails ? 100us : 10ms), task);
  }
  CHECK(on_failing <= 20);
}

TEST_CASE("a clock that jumps stops nothing") {
  world w;
  w.up(1);
  for (std::chrono::minutes jump : {std::chrono::minutes{-30}, std::chrono::minutes{24h * 300},
                                    std::chrono::minutes{-24h * 200}, std::chrono::minutes{1h}}) {
    w.now += jump;
    auto task = "t" + std::to_string(jump.count());
    INFO(jump.count());
    REQUIRE(w.place(task));
    w.end(task, verdict::retryable, 1ms, ec::agent_busy); // it is parked for a second
    auto due = w.table.next_due();
    REQUIRE(due);
    CHECK(*due <= w.now + 1'001ms);
    w.now += 1'001ms;
    CHECK(w.place("again" + task));
    w.end("again" + task);
  }
}

TEST_CASE("whoever waits for a role that nobody offers any more is refused") {
  world w;
  role_directory both{true, {}};
  for (const auto* name : {"worker", "other"}) {
    role_offer offer;
    offer.role = role_name{name};
    both.offers.push_back(offer);
  }
  w.table.learn(both);
  CHECK_FALSE(w.place("t"));
  CHECK(w.refused.empty());
  both.offers.erase(both.offers.begin());
  w.table.learn(both);
  w.settle();
  CHECK(w.refused.at("t").kind == ec::unknown_role);
}

TEST_CASE("a hedge goes to another agent that is free now, or nowhere") {
  world w;
  w.up(1, 2);
  CHECK(w.place("t"));
  auto hedge = w.request("t", 2);
  hedge.hedge = true;
  hedge.avoid = {key(1)};
  CHECK_FALSE(w.place(hedge));
  CHECK(w.refused.at("t").kind == ec::agent_busy);
  w.up(2);
  hedge.attempt = 3;
  CHECK(w.place(hedge));
  CHECK(w.at.at({"t", 3}) == key(2));
  CHECK(w.table.status(w.now).roles.at(0).running == 1); // no more work than before
  w.end("t", verdict::canceled, 10ms, ec::canceled, 3);
  w.end("t");
  for (const auto& agent : w.table.status(w.now).agents)
    CHECK(agent.in_flight == 0);
}

TEST_CASE("a task waits a moment for a much better agent, and no longer than it gains") {
  world w;
  w.up(1);
  w.up(2);
  auto other_than = [&](int number, const std::string& task) {
    auto what = w.request(task);
    what.avoid = {key(number)};
    return what;
  };
  for (int i = 0; i < 40; ++i) {
    CHECK(w.place(other_than(2, "fast")));
    CHECK(w.place(other_than(1, "slow")));
    w.now += 10ms;
    w.end("fast", verdict::completed, 10ms);
    w.now += 1'990ms;
    w.end("slow", verdict::completed, 2s);
  }
  auto before = w.now;
  CHECK(w.place("first"));
  CHECK(w.at.at({"first", 1}) == key(1));
  REQUIRE_FALSE(w.place("second"));
  CHECK(w.why("second").reason == wait_reason::better_soon);
  CHECK(w.why("second").until > 0ms);
  SECTION("it comes") {
    w.now += 10ms;
    w.end("first");
    CHECK(w.at.at({"second", 1}) == key(1));
  }
  SECTION("it does not come") {
    w.wait_for("second");
    CHECK(w.at.at({"second", 1}) == key(2));
    CHECK(w.now - before <= 2500ms);
  }
}

TEST_CASE("a limit holds up those that it is for, and nobody else") {
  router_options options;
  options.key_limits["greedy"].max_parallel = 2;
  options.key_limits["steady"] = {0, 10, 1};
  world w{options};
  for (int i = 0; i < 8; ++i)
    w.up(i);
  auto of = [&](const std::string& tenant, int count) {
    std::size_t placed = 0;
    for (int i = 0; i < count; ++i) {
      auto what = w.request(tenant + std::to_string(i));
      what.fairness_key = tenant;
      placed += w.place(what);
    }
    return placed;
  };
  CHECK(of("greedy", 5) == 2);
  CHECK(w.why("greedy4").reason == wait_reason::key_cap);
  CHECK(w.why("greedy4").limit.find("greedy") != std::string::npos);
  CHECK(of("steady", 3) == 1);
  CHECK(w.why("steady1").reason == wait_reason::rate_limit);
  CHECK(w.why("steady1").until <= 100ms);
  CHECK(of("modest", 5) == 5);
  w.end("greedy0");
  CHECK(w.at.contains({"greedy2", 1}));
  w.now = w.table.next_due().value();
  w.settle();
  CHECK(w.at.contains({"steady1", 1}) == false); // all eight agents are taken
  w.end("modest0");
  CHECK(w.at.contains({"steady1", 1}));
}

TEST_CASE("a cap of the role is told as such") {
  router_options options;
  options.role_limits[worker].max_parallel = 1;
  world w{options};
  w.up(1);
  w.up(2);
  CHECK(w.place("t0"));
  CHECK_FALSE(w.place("t1"));
  CHECK(w.why("t1").reason == wait_reason::role_cap);
  w.end("t0");
  CHECK(w.at.contains({"t1", 1}));
}

TEST_CASE("agents that fail are left alone, but never all of them") {
  world w;
  for (int i = 0; i < 4; ++i)
    w.up(i);
  for (int i = 0; i < 200; ++i) {
    auto task = "t" + std::to_string(i);
    REQUIRE(w.place(task)); // somebody is always tried
    w.now += 1ms;
    w.end(task, verdict::retryable, 1ms);
  }
  std::size_t ejected = 0;
  for (const auto& agent : w.table.status(w.now).agents)
    ejected += agent.ejected > 0ms;
  CHECK(ejected == 2); // the share that may be
  std::vector<std::string> running;
  for (const auto* task : {"x", "y", "z"})
    w.place(task);
  CHECK(w.why("z").reason == wait_reason::at_limit);
}

TEST_CASE("of agents that are idle those go first that are ejected, then those that failed") {
  router_options options;
  options.ejection.failures = 2;
  world w{options};
  for (int i = 0; i < 4; ++i)
    w.up(i);
  auto fail = [&](int number, const std::string& task) {
    auto what = w.request(task);
    for (int other = 0; other < 4; ++other)
      if (other != number)
        what.avoid.push_back(key(other));
    REQUIRE(w.place(std::move(what)));
    w.end(task, verdict::retryable);
  };
  fail(1, "a");
  fail(3, "b");
  fail(3, "c");
  CHECK(w.table.idle(worker, 0ms, w.now) == std::vector{key(3), key(1), key(0), key(2)});
}
