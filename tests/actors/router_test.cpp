#include "tests/support/actor_fixture.hpp"

#include <catch2/catch.hpp>

using namespace rolecall;
using namespace rolecall::tests;

namespace {

struct router_fixture : actor_fixture {
  registry_actor reg = keep(system.spawn(registry, registry_options{}));
  router_actor rt;
  std::uint64_t revision{0};
  std::uint64_t age{0};

  explicit router_fixture(router_options options = {})
      : rt{keep(system.spawn(router, reg, options))} {
    self->send(rt, atom::subscribe_v, me<demand_listener_actor>());
    run();
  }

  void put(agent_record record) {
    record.revision = ++revision;
    ask<std::uint64_t>(reg, atom::put_v, std::move(record));
  }
  void remove(const std::string& id) { ask<bool>(reg, atom::remove_v, make_agent(id).key); }

  placement_request request(const std::string& task, std::uint8_t priority = 0) {
    placement_request r;
    r.task = task_id{task};
    r.attempt = 1;
    r.role = role_name{"reviewer"};
    r.priority = priority;
    r.age = ++age;
    return r;
  }
  void place(placement_request r) {
    self->send(rt, atom::place_v, std::move(r), me<placement_listener_actor>());
  }
  void place(const std::string& task, std::uint8_t priority = 0) { place(request(task, priority)); }

  void finish(const std::string& task, const std::string& agent, verdict how = verdict::completed,
              millis park = millis{0}, bool gone = false, ec kind = ec::http_status,
              micros elapsed = micros{1'000}) {
    attempt_outcome outcome;
    outcome.task = task_id{task};
    outcome.attempt = 1;
    outcome.agent = make_agent(agent).key;
    outcome.verdict = how;
    outcome.park = park;
    outcome.agent_gone = gone;
    outcome.elapsed = elapsed;
    if (how != verdict::completed)
      outcome.error = {kind, "failed"};
    self->send(rt, atom::finished_v, outcome);
  }

  /// "task@agent" for each placement since the last call.
  std::vector<std::string> placed() {
    std::vector<std::string> result;
    for (const auto& p : take<placement>())
      result.push_back(p.task.str() + "@" + p.agent.key.id.str());
    return result;
  }
};

using names = std::vector<std::string>;

} // namespace

TEST_CASE_METHOD(router_fixture,
                 "a spawn event reaches the router although nobody told the router") {
  place("t");
  CHECK(placed().empty());
  put(make_agent("fresh")); // told to the registry, and to nobody else
  CHECK(placed() == names{"t@fresh"});
}

TEST_CASE_METHOD(router_fixture, "a router that starts late learns of the agents that are there") {
  put(make_agent("old"));
  rt = keep(system.spawn(router, reg, router_options{}));
  run();
  place("t");
  CHECK(placed() == names{"t@old"});
}

TEST_CASE_METHOD(router_fixture, "an agent with limit 1 never has two attempts at once") {
  put(make_agent("a"));
  place("first");
  place("second");
  CHECK(placed() == names{"first@a"});
  finish("first", "a");
  CHECK(placed() == names{"second@a"});
}

TEST_CASE_METHOD(router_fixture, "higher priority goes first, then age") {
  put(make_agent("a"));
  place("running");
  CHECK(placed() == names{"running@a"});
  place("low", 0);
  place("high", 9);
  place("middle", 5);
  place("middle-later", 5);
  names order;
  std::string last = "running";
  for (int i = 0; i < 4; ++i) {
    finish(last, "a");
    auto next = placed();
    REQUIRE(next.size() == 1);
    order.push_back(next[0]);
    last = next[0].substr(0, next[0].find('@'));
  }
  CHECK(order == names{"high@a", "middle@a", "middle-later@a", "low@a"});
}

TEST_CASE_METHOD(router_fixture,
                 "of agents alike the one with the most room wins, on a tie the first key") {
  put(make_agent("b", "reviewer", 2));
  put(make_agent("a", "reviewer", 2));
  put(make_agent("wide", "reviewer", 3));
  for (const auto* task : {"1", "2", "3", "4"})
    place(task);
  CHECK(placed() == names{"1@a", "2@b", "3@wide", "4@wide"});
}

TEST_CASE_METHOD(router_fixture,
                 "with the same room, the better success rate wins, then the latency") {
  put(make_agent("a"));
  put(make_agent("b"));
  place("1");
  place("2");
  CHECK(placed() == names{"1@a", "2@b"});
  finish("1", "a", verdict::retryable);
  finish("2", "b");
  place("3");
  CHECK(placed() == names{"3@b"});
  finish("3", "b", verdict::completed, millis{0}, false, ec::http_status, micros{9'000});
  put(make_agent("c"));
  place("4"); // c has no record yet: nothing speaks against it
  CHECK(placed() == names{"4@c"});
  finish("4", "c", verdict::completed, millis{0}, false, ec::http_status, micros{100});
  place("5");
  CHECK(placed() == names{"5@c"});
}

TEST_CASE_METHOD(router_fixture, "the task's own fault does not count against the agent") {
  put(make_agent("a"));
  put(make_agent("b"));
  place("1");
  CHECK(placed() == names{"1@a"});
  finish("1", "a", verdict::failed);
  place("2");
  CHECK(placed() == names{"2@a"});
}

TEST_CASE_METHOD(router_fixture, "an agent needs all the skills that a task asks for") {
  put(make_agent("plain"));
  auto skilled = make_agent("skilled");
  skilled.skills = {{"sql", 0.5}, {"cpp", 1}};
  auto r = request("t");
  r.skills = {"cpp", "sql"};
  place(r);
  CHECK(take<role_demand>().back() == role_demand{role_name{"reviewer"}, 1, 0, 1, 1, true, 1});
  place("any");
  CHECK(placed() == names{"any@plain"});
  put(skilled);
  CHECK(placed() == names{"t@skilled"});
}

TEST_CASE_METHOD(router_fixture,
                 "a task that was tried on an agent goes to another, if there is one") {
  put(make_agent("a"));
  auto r = request("again");
  r.avoid = {make_agent("a").key};
  SECTION("there is none") {
    place(r);
    CHECK(placed() == names{"again@a"});
  }
  SECTION("there is one, even if it is busy") {
    put(make_agent("b"));
    place("1");
    place("2");
    CHECK(placed() == names{"1@a", "2@b"});
    place(r);
    finish("1", "a");
    CHECK(placed().empty());
    finish("2", "b");
    CHECK(placed() == names{"again@b"});
  }
  SECTION("the other one goes away") {
    put(make_agent("b"));
    place("1");
    place("2");
    CHECK(placed().size() == 2);
    place(r);
    finish("1", "a");
    remove("b");
    CHECK(placed() == names{"again@a"});
  }
}

TEST_CASE_METHOD(router_fixture,
                 "a retired agent gets no more tasks, and what waited for it goes elsewhere") {
  put(make_agent("a"));
  place("running");
  CHECK(placed() == names{"running@a"});
  place("waiting");
  auto draining = make_agent("a");
  draining.state = agent_state::draining;
  put(draining);
  finish("running", "a");
  CHECK(placed().empty()); // it is free, and gets nothing
  put(make_agent("b"));
  CHECK(placed() == names{"waiting@b"});
}

TEST_CASE_METHOD(router_fixture, "a draining agent is told as drained once nothing runs on it") {
  put(make_agent("a"));
  place("t");
  CHECK(placed().size() == 1);
  auto draining = make_agent("a");
  draining.state = agent_state::draining;
  put(draining);
  std::vector<agent_key> drained;
  auto look = [&] {
    run();
    auto more = true;
    while (more)
      self->receive([&](atom::drained, const agent_key& key) { drained.push_back(key); },
                    [](const role_demand&) {},
                    caf::after(std::chrono::seconds{0}) >> [&] { more = false; });
  };
  look();
  CHECK(drained.empty());
  finish("t", "a");
  look();
  CHECK(drained == std::vector<agent_key>{make_agent("a").key});
}

TEST_CASE_METHOD(router_fixture, "an agent that asks to be left alone is parked for just so long") {
  put(make_agent("a"));
  place("1");
  CHECK(placed() == names{"1@a"});
  finish("1", "a", verdict::retryable, millis{2'000});
  place("2");
  advance(millis{1'990});
  CHECK(placed().empty());
  advance(millis{20});
  CHECK(placed() == names{"2@a"});
}

TEST_CASE_METHOD(router_fixture, "an agent that is gone gets nothing until its record changes") {
  put(make_agent("a"));
  place("1");
  CHECK(placed() == names{"1@a"});
  finish("1", "a", verdict::retryable, millis{0}, true, ec::unknown_agent);
  place("2");
  CHECK(placed().empty());
  put(make_agent("a")); // its service has listed it again
  CHECK(placed() == names{"2@a"});
}

TEST_CASE_METHOD(router_fixture, "no connection means that all agents of the service are gone") {
  put(make_agent("a"));
  put(make_agent("b"));
  place("1");
  CHECK(placed() == names{"1@a"});
  finish("1", "a", verdict::retryable, millis{0}, true, ec::connect_failed);
  place("2");
  CHECK(placed().empty());
}

TEST_CASE_METHOD(router_fixture, "an unknown role is refused, with the roles that exist") {
  role_offer offer;
  offer.role = role_name{"tester"};
  self->send(rt, role_directory{false, {}});
  place("early");
  CHECK(take<placement_refused>().empty()); // not all services have told their roles yet
  self->send(rt, role_directory{true, {offer}});
  auto refused = take<placement_refused>();
  REQUIRE(refused.size() == 1);
  CHECK(refused[0].task == task_id{"early"});
  CHECK(refused[0].error.kind == ec::unknown_role);
  CHECK(refused[0].error.message.find("tester") != std::string::npos);
  place("late");
  CHECK(take<placement_refused>().size() == 1);
}

TEST_CASE_METHOD(router_fixture, "all who wait for a role that cannot be had are refused") {
  place("1");
  place("2");
  self->send(rt, role_unavailable{role_name{"reviewer"}, {ec::spawn_refused, "no"}});
  CHECK(take<placement_refused>().size() == 2);
  put(make_agent("a"));
  CHECK(placed().empty());
}

TEST_CASE_METHOD(router_fixture, "a withdrawn request is not placed") {
  place("t");
  self->send(rt, atom::withdraw_v, task_id{"t"});
  put(make_agent("a"));
  CHECK(placed().empty());
  place("next");
  CHECK(placed() == names{"next@a"});
}

TEST_CASE("the waiting line and the attempts at the same time have bounds") {
  router_options options;
  options.max_waiting = 2;
  options.max_parallel = 1;
  router_fixture f{options};
  f.put(make_agent("a", "reviewer", 5));
  f.place("1");
  CHECK(f.placed() == names{"1@a"});
  f.place("2");
  f.place("3");
  f.place("4");
  auto refused = f.take<placement_refused>();
  REQUIRE(refused.size() == 1);
  CHECK(refused[0].error.kind == ec::queue_full);
  CHECK(f.placed().empty());
  f.finish("1", "a");
  CHECK(f.placed() == names{"2@a"});
}

TEST_CASE_METHOD(router_fixture, "demand is told when it changes, and when nobody waits any more") {
  place("1");
  place("2");
  auto demand = take<role_demand>();
  REQUIRE(demand.size() == 2);
  CHECK(demand[1] == role_demand{role_name{"reviewer"}, 2, 0, 0, 0, false, 2});
  put(make_agent("a", "reviewer", 2));
  demand = take<role_demand>();
  REQUIRE_FALSE(demand.empty());
  CHECK(demand.back() == role_demand{role_name{"reviewer"}, 0, 2, 0, 2, true, 2});
  finish("1", "a");
  place("3");
  place("4"); // waits: every change is told
  demand = take<role_demand>();
  CHECK(demand.back().asked == 4);
  CHECK(demand.back().ended == 1);
  CHECK(demand.back().worked == micros{1'000});
}

TEST_CASE("a role's own policy decides, and the same seed decides the same") {
  auto places = [](routing_policy policy, std::uint64_t seed) {
    router_options options;
    options.policies[role_name{"reviewer"}] = policy;
    options.seed = seed;
    router_fixture f{options};
    for (const auto* id : {"a", "b", "c"})
      f.put(make_agent(id, "reviewer", 10));
    for (int i = 0; i < 9; ++i)
      f.place("t" + std::to_string(i));
    std::string result;
    for (const auto& p : f.take<placement>()) {
      CHECK(p.candidates->policy == policy);
      result += p.agent.key.id.str();
    }
    return result;
  };
  CHECK(places(routing_policy::round_robin, 0) == "abcabcabc");
  CHECK(places(routing_policy::least_requests, 0) == "abcabcabc");
  for (auto policy : {routing_policy::p2c, routing_policy::random}) {
    CHECK(places(policy, 1) == places(policy, 1));
    CHECK(places(policy, 1) != places(policy, 2));
  }
}
