// Who gets a task, where it is not just the first that is free.
#include "actors/router/context_memory.hpp"
#include "tests/support/routing_world.hpp"

using namespace rolecall;
using namespace rolecall::tests;
using namespace std::chrono_literals;

namespace {

placement_request with_context(world& w, const std::string& task, const std::string& context) {
  auto result = w.request(task);
  result.context_id = context;
  return result;
}

placement_request needing(world& w, const std::string& task, const std::string& skill) {
  auto result = w.request(task);
  result.skills = {skill};
  return result;
}

/// Two agents that have worked on a context each, "one" and "two", and need a third of the time for
/// what they know.
void let_contexts_be_learnt(world& w) {
  w.up(1);
  w.up(2);
  for (int i = 0; i < 40; ++i)
    for (auto agent : {1, 2}) {
      auto context = agent == 1 ? "one" : "two";
      w.run_on(agent, with_context(w, "new", "c" + std::to_string(i)), 900ms);
      w.run_on(agent, with_context(w, "again", context), i == 0 ? 900ms : 300ms);
    }
}

/// Two agents, each twice as fast in what it is best at.
void let_skills_be_learnt(world& w) {
  w.up(1, 1, {{"a", 1}, {"b", 0.5}});
  w.up(2, 1, {{"a", 0.5}, {"b", 1}});
  for (int i = 0; i < 40; ++i)
    for (auto agent : {1, 2})
      for (const auto* skill : {"a", "b"}) {
        auto best = (agent == 1) == (std::string{skill} == "a");
        w.run_on(agent, needing(w, "past", skill), best ? 100ms : 200ms);
      }
}

} // namespace

TEST_CASE("a task goes to the agent that worked on its context last") {
  world w;
  let_contexts_be_learnt(w);
  CHECK(w.place(with_context(w, "first", "one")));
  CHECK(w.place(with_context(w, "second", "two")));
  CHECK(w.at.at({"first", 1}) == key(1));
  CHECK(w.at.at({"second", 1}) == key(2));
}

TEST_CASE("an agent that knows the context, but not the skill, is not taken") {
  world w;
  w.up(1, 64, {{"x", 1}});
  w.up(2, 64, {{"y", 1}});
  auto first = with_context(w, "first", "c");
  first.skills = {"x"};
  CHECK(w.place(first));
  w.end("first");
  auto second = with_context(w, "second", "c");
  second.skills = {"y"};
  CHECK(w.place(second));
  CHECK(w.at.at({"second", 1}) == key(2));
}

TEST_CASE("a task waits for the agent that knows its context, and holds up nobody else") {
  world w;
  let_contexts_be_learnt(w);
  CHECK(w.place(with_context(w, "first", "one")));
  REQUIRE(w.at.at({"first", 1}) == key(1));
  REQUIRE_FALSE(w.place(with_context(w, "second", "one")));
  CHECK(w.why("second").reason == wait_reason::better_soon);
  CHECK(w.why("second").until > 0ms);
  CHECK(w.why("second").position == 1);
  auto before = w.now;
  SECTION("it comes") {
    CHECK(w.place("other"));
    CHECK(w.at.at({"other", 1}) == key(2));
    w.now += 300ms;
    w.end("first", verdict::completed, 300ms);
    CHECK(w.at.at({"second", 1}) == key(1));
  }
  SECTION("it does not come") {
    w.wait_for("second");
    CHECK(w.at.at({"second", 1}) == key(2));
    CHECK(w.now - before <= 1s); // no more than what it would have gained
  }
  SECTION("it goes away") {
    w.down(1);
    w.settle();
    CHECK(w.at.at({"second", 1}) == key(2));
  }
  SECTION("it fails") {
    w.now += 10ms;
    w.end("first", verdict::retryable, 10ms);
    CHECK(w.at.contains({"second", 1}));
  }
  SECTION("the task is withdrawn") {
    CHECK(w.table.withdraw(task_id{"second"}));
    w.now += 300ms;
    w.end("first", verdict::completed, 300ms);
    CHECK_FALSE(w.table.explain(task_id{"second"}, w.now));
    CHECK(w.table.status(w.now).roles.at(0).running == 0);
  }
  SECTION("the clock goes back") {
    w.now -= 30min;
    w.settle();
    w.wait_for("second");
    CHECK(before - 30min + 1s >= w.now);
  }
}

TEST_CASE("no more wait for an agent than it is worth") {
  world w;
  let_contexts_be_learnt(w);
  CHECK(w.place(with_context(w, "first", "one")));
  CHECK_FALSE(w.place(with_context(w, "second", "one")));
  CHECK(w.place(with_context(w, "third", "one"))); // two thirds of its time are gone until its turn
  CHECK(w.at.at({"third", 1}) == key(2));
}

TEST_CASE("without patience no task waits while an agent is free") {
  router_options options;
  options.patience = 0;
  world w{options};
  let_contexts_be_learnt(w);
  CHECK(w.place(with_context(w, "first", "one")));
  CHECK(w.place(with_context(w, "second", "one")));
}

TEST_CASE("an agent is left to those who need what it is best at") {
  world w;
  let_skills_be_learnt(w);
  CHECK(w.place(needing(w, "runs a", "a")));
  CHECK(w.place(needing(w, "runs b", "b")));
  REQUIRE(w.at.at({"runs a", 1}) == key(1));
  CHECK_FALSE(w.place(needing(w, "b", "b")));
  for (const auto* task : {"a1", "a2", "a3"})
    CHECK_FALSE(w.place(needing(w, task, "a")));
  w.now += 100ms;
  w.end("runs a", verdict::completed, 100ms);
  CHECK(w.at.at({"a1", 1}) == key(1)); // before "b", which is older
  SECTION("its own agent comes") {
    w.end("runs b", verdict::completed, 100ms);
    CHECK(w.at.at({"b", 1}) == key(2));
  }
  SECTION("its own agent hangs: it waits no longer than it takes") {
    for (const auto* task : {"a1", "a2", "a3"})
      if (w.at.contains({task, 1})) {
        w.now += 100ms;
        w.end(task, verdict::completed, 100ms);
      }
    w.wait_for("b");
    CHECK(w.at.at({"b", 1}) == key(1));
  }
}

TEST_CASE("a longer line does not take an agent from those who need what it is best at") {
  world w;
  let_skills_be_learnt(w);
  CHECK(w.place(needing(w, "runs a", "a")));
  CHECK(w.place(needing(w, "runs b", "b")));
  REQUIRE(w.at.at({"runs a", 1}) == key(1));
  for (const auto* task : {"b1", "b2", "b3", "b4", "b5"})
    CHECK_FALSE(w.place(needing(w, task, "b")));
  CHECK_FALSE(w.place(needing(w, "a", "a")));
  w.now += 100ms;
  w.end("runs a", verdict::completed, 100ms);
  CHECK(w.at.at({"a", 1}) == key(1)); // before the five that are older
}

TEST_CASE("who floods beside others still leaves an agent to what it is best at") {
  world w;
  let_skills_be_learnt(w);
  auto of = [&](const std::string& tenant, const std::string& task, const std::string& skill) {
    auto result = needing(w, task, skill);
    result.fairness_key = tenant;
    return result;
  };
  CHECK(w.place(of("modest", "runs a", "a")));
  CHECK(w.place(of("modest", "runs b", "b")));
  REQUIRE(w.at.at({"runs a", 1}) == key(1));
  CHECK_FALSE(w.place(of("greedy", "b", "b")));
  for (const auto* task : {"a1", "a2", "a3"})
    CHECK_FALSE(w.place(of("greedy", task, "a")));
  w.now += 100ms;
  w.end("runs a", verdict::completed, 100ms);
  CHECK(w.at.at({"a1", 1}) == key(1)); // before "b", which is older
}

TEST_CASE("a task of a higher priority leaves no agent to one of a lower") {
  world w;
  let_skills_be_learnt(w);
  CHECK(w.place(needing(w, "runs a", "a")));
  CHECK(w.place(needing(w, "runs b", "b")));
  for (const auto* task : {"a1", "a2", "a3"})
    CHECK_FALSE(w.place(needing(w, task, "a")));
  for (const auto* task : {"b1", "b2", "b3"}) {
    auto urgent = needing(w, task, "b");
    urgent.priority = 9;
    CHECK_FALSE(w.place(std::move(urgent)));
  }
  w.now += 100ms;
  w.end("runs a", verdict::completed, 100ms);
  CHECK(w.at.at({"b1", 1}) == key(1));
}

TEST_CASE("the contexts that were worked on last are remembered") {
  context_memory memory;
  for (std::size_t i = 0; i < context_memory::max_contexts; ++i)
    memory.note(std::to_string(i), key(1));
  memory.note("0", key(2));
  memory.note("one more", key(3));
  CHECK(*memory.last("0") == key(2));
  CHECK(memory.last("1") == nullptr);
  CHECK(*memory.last("one more") == key(3));
}

TEST_CASE("agents of too many kinds are told apart by the names of their skills") {
  agent_pool pool{[](const routed_agent&, auto) { return agent_pool::standing{}; }};
  for (int i = 0; i < 1'000; ++i) {
    agent_record record;
    record.key = key(i);
    record.skills = {{"a", 0.001 * i}, {"b", 1 - 0.0007 * i}, {"c", 0.3 + 0.0005 * i}};
    pool.refresh(pool.put(record), {});
  }
  const auto& groups = pool.with({"a", "c"});
  CHECK(groups.size() <= agent_pool::max_profiles + 1);
  std::size_t free = 0;
  for (const auto& each : groups) {
    free += each.group->free.size();
    CHECK(each.lack >= 0);
  }
  CHECK(free == 1'000);
  CHECK(pool.with({"d"}).empty());
  for (int i = 0; i < 1'000; ++i)
    pool.erase(key(i));
  CHECK(pool.with({"a"}).empty());
}
