#include "tests/support/actor_fixture.hpp"

#include <catch2/catch.hpp>

using namespace rolecall;
using namespace rolecall::tests;

namespace {

struct registry_fixture : actor_fixture {
  registry_actor reg = keep(system.spawn(registry, registry_options{}));

  void put(agent_record record) { ask<std::uint64_t>(reg, atom::put_v, std::move(record)); }
  void subscribe() { self->send(reg, atom::subscribe_v, me<agent_listener_actor>()); }
};

/// What a subscriber knows after a snapshot and events.
struct mirror {
  std::map<agent_key, agent_record> agents;
  std::uint64_t sequence{0};

  void operator()(const agent_snapshot& snapshot) {
    agents.clear();
    for (const auto& agent : snapshot.agents)
      agents[agent.key] = agent;
    sequence = snapshot.sequence;
  }
  void operator()(const agent_event& event) {
    REQUIRE(event.sequence == sequence + 1);
    sequence = event.sequence;
    if (event.change == agent_change::down)
      agents.erase(event.agent.key);
    else
      agents[event.agent.key] = event.agent;
  }
};

} // namespace

TEST_CASE_METHOD(registry_fixture, "a record is found under the id that its service gave") {
  put(make_agent("made-by-the-service"));
  auto found = ask<agent_record>(reg, atom::get_v, make_agent("made-by-the-service").key);
  CHECK(found.key.id == agent_id{"made-by-the-service"});
  ask<agent_record>(reg, atom::get_v, make_agent("another").key);
  CHECK(last_error == caf::make_error(ec::unknown_agent));
}

TEST_CASE_METHOD(registry_fixture, "a record that is not newer is refused") {
  put(make_agent("a", "reviewer", 1, 5));
  put(make_agent("a", "reviewer", 9, 5));
  CHECK(last_error == caf::make_error(ec::stale_revision));
  CHECK(ask<agent_record>(reg, atom::get_v, make_agent("a").key).max_concurrency == 1);
}

TEST_CASE_METHOD(registry_fixture, "agents are listed by role, in the order of their keys") {
  put(make_agent("b", "reviewer"));
  put(make_agent("c", "tester"));
  put(make_agent("a", "reviewer"));
  auto listed = ask<std::vector<agent_record>>(reg, atom::list_v, role_name{"reviewer"});
  REQUIRE(listed.size() == 2);
  CHECK(listed[0].key.id.str() == "a");
  CHECK(listed[1].key.id.str() == "b");
  CHECK(ask<std::vector<agent_record>>(reg, atom::list_v).size() == 3);
}

TEST_CASE_METHOD(registry_fixture, "an agent that changes its role leaves the old one's list") {
  put(make_agent("a", "reviewer", 1, 1));
  put(make_agent("a", "tester", 1, 2));
  CHECK(ask<std::vector<agent_record>>(reg, atom::list_v, role_name{"reviewer"}).empty());
  CHECK(ask<std::vector<agent_record>>(reg, atom::list_v, role_name{"tester"}).size() == 1);
}

TEST_CASE_METHOD(registry_fixture,
                 "subscribers that join late see the same registry as those who were there") {
  subscribe();
  mirror early;
  for (const auto& snapshot : take<agent_snapshot>())
    early(snapshot);
  put(make_agent("a", "reviewer", 1, 1));
  put(make_agent("b", "reviewer", 1, 2));
  put(make_agent("a", "reviewer", 4, 3));
  ask<bool>(reg, atom::remove_v, make_agent("b").key);
  for (const auto& event : take<agent_event>())
    early(event);

  mirror late;
  {
    caf::scoped_actor other{system, true};
    other->send(reg, atom::subscribe_v, caf::actor_cast<agent_listener_actor>(other));
    run();
    other->receive([&](const agent_snapshot& snapshot) { late(snapshot); });
    put(make_agent("c", "tester", 1, 4));
    run();
    other->receive([&](const agent_event& event) { late(event); });
  }
  for (const auto& event : take<agent_event>())
    early(event);
  CHECK(early.sequence == late.sequence);
  CHECK(early.agents == late.agents);
  CHECK(late.agents.size() == 2);
}

TEST_CASE_METHOD(registry_fixture, "removing an agent that is not there is no event") {
  subscribe();
  CHECK_FALSE(ask<bool>(reg, atom::remove_v, make_agent("nobody").key));
  CHECK(take<agent_event>().empty());
}

TEST_CASE_METHOD(registry_fixture, "the number of agents has a bound") {
  auto small = keep(system.spawn(registry, registry_options{1}));
  CHECK(ask<std::uint64_t>(small, atom::put_v, make_agent("a", "reviewer", 1, 1)) == 1);
  ask<std::uint64_t>(small, atom::put_v, make_agent("b", "reviewer", 1, 2));
  CHECK(last_error == caf::make_error(ec::queue_full));
  CHECK(ask<std::uint64_t>(small, atom::put_v, make_agent("a", "reviewer", 1, 3)) == 3);
}
