// The router in a cluster: agents of other nodes, and what other nodes do with this one's.
#include "actors/router/routing_table.hpp"

#include <catch2/catch.hpp>

#include <algorithm>

using namespace rolecall;
using namespace std::chrono_literals;

namespace {

struct table {
  using time_point = routing_table::time_point;

  explicit table(router_options options = {})
      : core{[&] {
          options.node = node_name{"a"};
          return options;
        }()} {}

  routing_table core;
  time_point now{1h};
  std::uint64_t sequence{0};

  agent_key key(const std::string& id, const std::string& node) {
    return {service_name{"s"}, agent_id{id}, node_name{node}};
  }
  void up(const std::string& id, const std::string& node, std::uint32_t limit = 1) {
    agent_record record;
    record.key = key(id, node);
    record.role = role_name{"r"};
    record.max_concurrency = limit;
    core.apply({++sequence, agent_change::up, record}, now);
  }
  void place(const std::string& task, const std::string& fairness_key = "") {
    placement_request request;
    request.task = task_id{task};
    request.attempt = 1;
    request.role = role_name{"r"};
    request.fairness_key = fairness_key;
    core.place(request);
  }
  /// "task@agent", for each that was placed.
  std::string dispatch() {
    std::string result;
    for (const auto& decision : core.dispatch(now))
      if (const auto* placed = std::get_if<placement>(&decision))
        result += placed->task.str() + "@" + placed->agent.key.id.str() + " ";
    return result;
  }
  void finish(const std::string& task, const agent_key& agent) {
    attempt_outcome outcome;
    outcome.task = task_id{task};
    outcome.attempt = 1;
    outcome.agent = agent;
    outcome.verdict = verdict::completed;
    outcome.elapsed = 10ms;
    core.finished(outcome, now);
  }
  void offers(std::vector<std::pair<std::string, std::uint32_t>> own,
              std::vector<std::tuple<std::string, bool, std::uint32_t>> others,
              bool complete = true) {
    role_directory directory{true, {}};
    for (const auto& [role, most] : own)
      directory.offers.push_back({role_name{role}, service_name{"s"}, {}, 1, 0, most});
    core.learn(directory);
    peer_offers peers{{}, complete};
    for (const auto& [node, is_up, most] : others)
      peers.nodes.push_back(
          {node_name{node}, is_up, {{role_name{"r"}, service_name{"s"}, {}, 1, 0, most}}});
    core.learn(peers);
  }
};

} // namespace

TEST_CASE("an agent that others keep busy gets nothing, and is used once they have ended") {
  table t;
  t.up("x", "b");
  t.core.learn(agent_uses{{{t.key("x", "b"), 1}}}, t.now);
  t.place("t");
  CHECK(t.dispatch().empty());
  auto why = t.core.explain(task_id{"t"}, t.now);
  REQUIRE(why);
  CHECK(why->reason == wait_reason::at_limit);
  t.core.learn(agent_uses{{{t.key("x", "b"), 0}}}, t.now);
  CHECK(t.dispatch() == "t@x ");
}

TEST_CASE("of agents of other nodes the one that others use less is taken") {
  table t;
  t.up("x", "b", 8);
  t.up("y", "c", 8);
  t.core.learn(agent_uses{{{t.key("x", "b"), 6}}}, t.now);
  t.place("t");
  CHECK(t.dispatch() == "t@y ");
}

TEST_CASE("nobody else says how busy this node's own agents are") {
  table t;
  t.up("x", "a");
  t.core.learn(agent_uses{{{t.key("x", "a"), 1}}}, t.now);
  t.place("t");
  CHECK(t.dispatch() == "t@x ");
}

TEST_CASE("what others have at an agent goes with its record, and their word on it counts anew") {
  table t;
  t.up("x", "b");
  t.core.learn(agent_uses{{{t.key("x", "b"), 1}}}, t.now);
  agent_record gone;
  gone.key = t.key("x", "b");
  gone.role = role_name{"r"};
  t.core.apply({++t.sequence, agent_change::down, gone}, t.now);
  t.up("x", "b");
  t.place("t");
  CHECK(t.dispatch() == "t@x ");
}

TEST_CASE("an attempt of another node holds a slot here until it has finished") {
  table t;
  t.core.tell_uses();
  t.up("x", "a");
  auto key = t.key("x", "a");
  CHECK(t.core.admit(task_id{"far"}, 1, key, t.now));
  CHECK_FALSE(t.core.admit(task_id{"other"}, 1, key, t.now));
  CHECK(t.core.take_uses() == agent_uses{{{key, 1}}});
  t.place("near");
  CHECK(t.dispatch().empty());
  CHECK(t.core.idle(role_name{"r"}, 0ms, t.now).empty());
  t.finish("far", key);
  CHECK(t.dispatch() == "near@x ");
  t.finish("near", key);
  CHECK(t.core.take_uses() == agent_uses{{{key, 0}}});
  CHECK(t.core.idle(role_name{"r"}, 0ms, t.now) == std::vector{key});
}

TEST_CASE("attempts of other nodes are no tenant's here, and what they hold is not to be shared") {
  table t;
  for (const auto* id : {"w", "x"})
    t.up(id, "a");
  for (const auto* id : {"y", "z"})
    t.up(id, "b");
  t.core.tell_uses();
  auto flood = [&] {
    for (int i = 0; i < 40; ++i)
      t.place("f" + std::to_string(i), "greedy");
    auto placed = t.dispatch();
    return std::count(placed.begin(), placed.end(), '@');
  };
  SECTION("nothing is left free for them") {
    for (const auto* id : {"w", "x"})
      CHECK(t.core.admit(task_id{std::string{"far "} + id}, 1, t.key(id, "a"), t.now));
    for (const auto* id : {"w", "x"})
      t.finish(std::string{"far "} + id, t.key(id, "a"));
    CHECK(flood() == 4);
  }
  SECTION("of what is left, one is kept free for this node's other tenant") {
    t.place("m", "modest");
    REQUIRE_FALSE(t.dispatch().empty());
    t.now += 100ms;
    t.finish("m", {}); // whichever it was
    REQUIRE(t.core.admit(task_id{"far"}, 1, t.key("w", "a"), t.now));
    SECTION("on an agent of this node") {
      CHECK(flood() == 2);
    }
    SECTION("on agents of both") {
      t.core.learn(agent_uses{{{t.key("y", "b"), 1}}}, t.now);
      CHECK(flood() == 1);
    }
  }
}

TEST_CASE("the end of another node's attempt frees nothing of a key's limit") {
  router_options options;
  options.key_limit.max_parallel = 1;
  table t{options};
  t.up("x", "a", 4);
  t.place("near");
  CHECK(t.dispatch() == "near@x ");
  CHECK(t.core.admit(task_id{"far"}, 1, t.key("x", "a"), t.now));
  t.place("next");
  CHECK(t.dispatch().empty());
  t.finish("far", t.key("x", "a"));
  CHECK(t.dispatch().empty());
  t.finish("near", t.key("x", "a"));
  CHECK(t.dispatch() == "next@x ");
}

TEST_CASE(
    "an agent that drains, or that is not here, admits nobody; one that drains waits for all") {
  table t;
  t.up("x", "a", 2);
  t.up("y", "b");
  auto key = t.key("x", "a");
  CHECK_FALSE(t.core.admit(task_id{"t"}, 1, t.key("y", "b"), t.now));
  CHECK_FALSE(t.core.admit(task_id{"t"}, 1, t.key("z", "a"), t.now));
  CHECK(t.core.admit(task_id{"t"}, 1, key, t.now));
  agent_record record;
  record.key = key;
  record.role = role_name{"r"};
  record.max_concurrency = 2;
  record.state = agent_state::draining;
  t.core.apply({++t.sequence, agent_change::changed, record}, t.now);
  CHECK_FALSE(t.core.admit(task_id{"u"}, 1, key, t.now));
  CHECK(t.core.take_drained().empty());
  t.finish("t", key);
  CHECK(t.core.take_drained() == std::vector{key});
}

TEST_CASE("a role that only another node offers is known, and that node is to get agents for it") {
  table t;
  t.offers({}, {{"b", true, 4}});
  t.place("t");
  CHECK(t.dispatch().empty());
  CHECK(t.core.take_demand().empty());
  auto away = t.core.take_away_demand();
  REQUIRE(away.size() == 1);
  CHECK(away[0].node == node_name{"b"});
  CHECK(away[0].demand.waiting == 1);
  t.core.withdraw(task_id{"t"});
  t.core.take_demand();
  away = t.core.take_away_demand();
  REQUIRE(away.size() == 1);
  CHECK(away[0].demand.waiting == 0);
}

TEST_CASE("what waits is divided among the nodes that can get agents for it") {
  table t;
  t.offers({{"r", 4}}, {{"b", true, 4}, {"c", false, 4}});
  for (auto i = 0; i < 6; ++i)
    t.place("t" + std::to_string(i));
  t.dispatch();
  auto own = t.core.take_demand();
  REQUIRE(own.size() == 1);
  CHECK(own[0].waiting == 3);
  auto away = t.core.take_away_demand();
  REQUIRE(away.size() == 1);
  CHECK(away[0].node == node_name{"b"});
  CHECK(away[0].demand.waiting == 3);
  // The other node goes: all of it is this one's again.
  t.offers({{"r", 4}}, {{"b", false, 4}, {"c", false, 4}});
  own = t.core.take_demand();
  REQUIRE(own.size() == 1);
  CHECK(own[0].waiting == 6);
}

TEST_CASE("a role is not unknown as long as a node that should be there may yet turn up") {
  table t;
  t.offers({}, {}, false);
  t.place("t");
  CHECK(t.core.dispatch(t.now).empty());
  t.offers({}, {}, true);
  auto decided = t.core.dispatch(t.now);
  REQUIRE(decided.size() == 1);
  CHECK(std::get<placement_refused>(decided[0]).error.kind == ec::unknown_role);
}

TEST_CASE("tasks wait for a role whose node is away: it is this node's manager that is patient") {
  table t;
  t.offers({}, {{"b", true, 4}});
  t.place("t");
  t.dispatch();
  t.core.take_demand();
  t.offers({}, {{"b", false, 4}});
  CHECK(t.core.dispatch(t.now).empty());
  auto own = t.core.take_demand();
  REQUIRE(own.size() == 1);
  CHECK(own[0].waiting == 1);
  t.core.unavailable({role_name{"r"}, {ec::no_agent, "away"}});
  auto decided = t.core.dispatch(t.now);
  REQUIRE(decided.size() == 1);
  CHECK(std::get<placement_refused>(decided[0]).error.kind == ec::no_agent);
}

TEST_CASE("what runs on another node is no demand for agents of this one") {
  table t;
  t.offers({{"r", 4}}, {});
  t.up("x", "b");
  t.place("t");
  CHECK(t.dispatch() == "t@x ");
  t.core.idle(role_name{"r"}, 0ms, t.now);
  for (const auto& demand : t.core.take_demand())
    CHECK(demand.running == 0);
  t.core.admit(task_id{"far"}, 1, t.key("x", "b"), t.now);
  t.finish("t", t.key("x", "b"));
  CHECK(t.core.status(t.now).agents.at(0).in_flight == 0);
}
