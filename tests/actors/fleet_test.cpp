// How the fleet is scaled: by many roles, with services that are slow, silent or short-lived.
#include "tests/actors/fleet_fixture.hpp"

#include <catch2/catch.hpp>

using namespace rolecall;
using namespace rolecall::tests;

namespace {

service_holds held_by(const std::string& node, const std::string& service) {
  return {{{service_name{service}, node_name{node}}}};
}

fleet_options with_total(std::uint32_t total) {
  auto options = two_services();
  options.max_agents = total;
  return options;
}

} // namespace

TEST_CASE("a list that says what it said before is not read again") {
  auto options = two_services();
  options.roles[role_name{"a"}] = options.defaults;
  options.roles[role_name{"a"}].min_agents = 3;
  fleet_fixture f{options};
  auto& list = f.listed[first];
  for (int i = 0; i < 3; ++i)
    list.push_back(f.make(service_name{first}, "a"));
  f.spawns.clear(); // those were found before they came up
  f.tick(100);
  REQUIRE(f.role("a").ready == 3);
  CHECK(f.unread > 0);
  SECTION("an agent that is gone from it is gone") {
    list.pop_back();
    f.tick(100);
    CHECK(f.role("a").ready == 2);
  }
  SECTION("one that was spawned and never listed is gone, though it says the same") {
    f.demand("a", 30, 3);
    f.tick(20);
    REQUIRE_FALSE(f.spawns.empty());
    f.hold_lists = true;
    f.carry_out(f.core.on_suspect(list.front().key, f.now)); // so that the next list is read
    f.tick(30);
    REQUIRE_FALSE(f.held_lists.empty());
    auto before = list;
    f.deliver(1);
    list = before;
    f.answer_lists(); // asked for before it was there
    CHECK(f.role("a").ready == 4);
    f.tick(100);
    CHECK(f.role("a").ready == 3);
  }
  SECTION("one that is suspected is put anew if it is still listed") {
    auto shown = f.shown_ready;
    f.carry_out(f.core.on_suspect(list.front().key, f.now));
    f.tick(100);
    CHECK(f.shown_ready > shown);
  }
}

TEST_CASE("six tasks of a role without agents ask for six agents at once") {
  fleet_fixture f;
  f.demand("a", 6, 0);
  CHECK(f.asked("a") == 6);
  CHECK(f.role("a").starting == 6);
  CHECK(f.role("a").desired == 6);
}

TEST_CASE("a total over all roles is shared fairly, without a task being killed for it") {
  fleet_fixture f{with_total(6)};
  f.demand("a", 10, 0);
  f.deliver(6);
  CHECK(f.spawns.empty());
  CHECK(f.role("a").trouble.message.find("scaling.max_agents") != std::string::npos);
  for (const auto& each : f.listed[first])
    f.busy.insert(each.key);
  f.demand("a", 4, 6);
  f.demand("c", 5, 0);
  f.tick(); // each role may have three: three of the other's are drained
  CHECK(f.role("a").ready == 3);
  CHECK(f.role("a").draining == 3);
  CHECK(f.retired.empty());
  CHECK(f.asked("c") == 0);
  auto busy = std::exchange(f.busy, {});
  for (const auto& key : busy) // they have finished what they had
    f.carry_out(f.core.on_drained(key));
  f.tick();
  CHECK(f.retired.size() == 3);
  CHECK(f.asked("c") == 3);
  CHECK(f.role("c").trouble.message.find("share") != std::string::npos);
}

TEST_CASE("agents that a role only keeps go first when another needs some of the total") {
  auto options = with_total(4);
  options.defaults.idle_timeout = millis{60'000};
  fleet_fixture f{options};
  f.demand("a", 4, 0);
  f.deliver(4);
  f.demand("a", 0, 0);
  f.tick();
  CHECK(f.role("a").ready == 4);
  f.demand("c", 3, 0);
  f.tick(2);
  CHECK(f.role("a").ready == 1);
  CHECK(f.asked("c") == 3);
}

TEST_CASE(
    "a service is asked to spawn no faster than its rate; what is not wanted any more, never") {
  auto options = two_services();
  options.spawn_rate = 10;
  options.spawn_burst = 5;
  fleet_fixture f{options};
  f.demand("a", 100, 0);
  CHECK(f.asked("a") == 5);
  CHECK(f.role("a").trouble.message.find("scaling.spawn_rate") != std::string::npos);
  f.tick(10);
  CHECK(f.asked("a") == 15);
  f.demand("c", 2, 0); // another service has a rate of its own
  CHECK(f.asked("c") == 2);
  f.demand("a", 3, 0);
  f.tick(10);
  CHECK(f.asked("a") == 15);
}

TEST_CASE("those that start are dropped before those that run") {
  fleet_fixture f;
  f.demand("a", 5, 0);
  f.deliver(2);
  f.demand("a", 0, 2);
  f.tick(15); // past the idle timeout
  CHECK(f.role("a").ready == 2);
  CHECK(f.role("a").starting == 3);
  CHECK(f.role("a").desired == 2);
  f.shown_ready = 0;
  f.deliver(3);
  CHECK(f.shown_ready == 0);
  CHECK(f.role("a").ready == 2);
  CHECK(f.retired == std::vector<std::string>{"a-3", "a-4", "a-5"});
}

TEST_CASE("a service that accepts spawns and never delivers holds up nobody else") {
  fleet_fixture f;
  f.demand("a", 1'000, 0);
  f.tick(60);
  auto hanging = f.role("a").starting;
  CHECK(hanging == 128);
  CHECK(f.role("a").trouble.message.find("has not answered") != std::string::npos);
  CHECK(f.given_up.empty());
  f.demand("b", 10, 0); // of the same service
  f.demand("c", 10, 0);
  f.tick();
  CHECK(f.asked("b") == 10);
  CHECK(f.asked("c") == 10);
  CHECK(f.role("a").starting == hanging);
}

TEST_CASE("a spawn that takes much longer than others is not counted on") {
  auto options = two_services();
  options.defaults.max_agents = 2;
  fleet_fixture f{options};
  f.demand("a", 1, 0);
  f.tick();
  f.deliver(1); // this took a tenth of a second
  f.demand("a", 0, 0);
  f.tick(15); // it is gone
  f.demand("a", 1, 0);
  CHECK(f.asked("a") == 1);
  f.tick(12);
  CHECK(f.asked("a") == 1);
  f.tick(50);
  CHECK(f.asked("a") == 2); // no more than there may be
}

TEST_CASE("what is known of a role's work outlasts its agents") {
  fleet_fixture f;
  f.demand("a", 1, 0);
  f.tick(50); // a spawn takes five seconds
  f.deliver(1);
  role_demand demand{role_name{"a"}, 0, 0, 0, 1, true, 9, 9, std::chrono::milliseconds{900}};
  f.carry_out(f.core.on_demand(demand, f.now));
  f.tick(30);
  REQUIRE(f.role("a").ready == 0);
  f.demand("a", 100, 0); // ten seconds of work
  CHECK(f.asked("a") == 2);
}

TEST_CASE("failed spawns are told, and are tried again after longer and longer times") {
  fleet_fixture f;
  f.demand("a", 3, 0);
  f.deliver(3, false);
  auto state = f.role("a");
  CHECK(state.spawn_failures == 3);
  CHECK(state.spawn_backoff == millis{200}); // they failed together
  CHECK(state.trouble.message == "no room");
  CHECK(f.spawns.empty());
  f.tick(2);
  f.deliver(3, false);
  CHECK(f.role("a").spawn_failures == 6);
  CHECK(f.role("a").spawn_backoff == millis{400});
  f.tick(4);
  f.deliver(3);
  CHECK(f.role("a").spawn_failures == 0);
  CHECK(f.role("a").trouble == failure{});
}

TEST_CASE("agents that are gone soon after their spawn are spawned more and more slowly") {
  fleet_fixture f;
  f.demand("a", 1, 0);
  std::size_t spawned = 0;
  for (int i = 0; i < 300; ++i) {
    spawned += f.spawns.size();
    f.deliver(1);
    f.tick();
    f.listed[first].clear();
    f.carry_out(f.core.on_suspect({service_name{first}, agent_id{"x"}}, f.now));
  }
  CHECK(spawned > 5);
  CHECK(spawned < 15); // in 30 s
  CHECK(f.role("a").spawn_failures > 5);
  CHECK(f.role("a").trouble.message.find("gone soon after its spawn") != std::string::npos);
}

TEST_CASE("a thousand agents that die at once are replaced no faster than the rate allows") {
  fleet_fixture f;
  for (int i = 0; i < 1'000; ++i)
    f.listed[first].push_back(f.make(service_name{first}, "a"));
  f.tick(21);
  REQUIRE(f.role("a").ready == 1'000);
  f.demand("a", 0, 1'000);
  while (!f.listed[first].empty()) {
    f.listed[first].resize(f.listed[first].size() - 100);
    f.carry_out(f.core.on_suspect({service_name{first}, agent_id{"x"}}, f.now));
    f.tick();
  }
  CHECK(f.role("a").ready == 0);
  f.demand("a", 1'000, 0);
  CHECK(f.role("a").starting == 100);
  std::size_t replaced = 0;
  for (int i = 0; i < 10; ++i) {
    replaced += f.spawns.size();
    f.deliver(1'000);
    f.tick();
  }
  CHECK(replaced >= 180);
  CHECK(replaced <= 210);
}

TEST_CASE("agents with free slots everywhere are drained down to what the load needs") {
  fleet_fixture f;
  f.slots = 10;
  f.tick(310); // the roles are asked for again
  f.demand("a", 40, 0);
  f.deliver(4);
  f.demand("a", 0, 40);
  f.tick(15);
  f.demand("a", 0, 4); // one on each
  f.tick(15);
  CHECK(f.role("a").ready == 1);
}

TEST_CASE("agents that were found, or spawned on request, stay for the idle timeout") {
  fleet_fixture f;
  f.listed[first].push_back(f.make(service_name{first}, "a"));
  f.tick(20);
  auto found = f.role("a").ready;
  CHECK(found == 1);
  auto more = f.core.spawn_one(role_name{"a"}, 1);
  REQUIRE(std::holds_alternative<fleet::effects>(more));
  f.carry_out(std::get<fleet::effects>(more));
  f.deliver(1);
  CHECK(f.role("a").ready == 2);
  f.tick(5);
  CHECK(f.role("a").ready == 2);
  f.tick(10);
  CHECK(f.role("a").ready == 0);
}

TEST_CASE("warm spares are spawned before anybody waits") {
  auto options = two_services();
  options.roles[role_name{"a"}].warm_spares = 2;
  fleet_fixture f{options};
  f.tick();
  f.deliver(2);
  CHECK(f.role("a").ready == 2);
  f.demand("a", 0, 1);
  f.tick();
  CHECK(f.asked("a") == 1);
  f.tick(100);
  CHECK(f.role("a").ready == 2);
}

TEST_CASE("a clock that jumps back and forth stops nothing") {
  fleet_fixture f;
  f.demand("a", 2, 0);
  f.deliver(1, false);
  f.now -= std::chrono::hours{50};
  f.tick(3);
  CHECK(f.asked("a") == 2);
  f.deliver(2);
  f.demand("a", 0, 2);
  f.now += std::chrono::hours{100'000};
  f.tick(3);
  CHECK(f.role("a").ready == 2);
  f.demand("a", 0, 0);
  f.tick(15);
  CHECK(f.role("a").ready == 0);
}

TEST_CASE("a role that nobody offers any more is not spawned again and again") {
  fleet_fixture f;
  f.demand("a", 2, 0);
  f.offers[first] = {"b"};
  f.tick(310);
  f.demand("a", 3, 0);
  CHECK(f.asked("a") == 2); // from before
  f.deliver(2, false);
  f.tick(100);
  CHECK(f.asked("a") == 0);
}

TEST_CASE("a service that another node manages is left to it, until that one is gone") {
  fleet_fixture f;
  f.demand("a", 2, 0);
  f.deliver(2);
  REQUIRE(f.role("a").ready == 2);
  f.demand("a", 2, 2);
  f.carry_out(f.core.on_holds(held_by("b", first), f.now));
  CHECK(f.role("a").ready == 0);
  CHECK(f.core.status().services.at(0).held_by == node_name{"b"});
  CHECK(f.core.status().roles.offers.size() == 1); // what the other service has
  auto before = f.spawns.size();
  f.deliver(f.spawns.size()); // what was asked for before comes, and is the other node's
  f.demand("a", 10, 0);
  f.tick(50);
  CHECK(f.spawns.empty());
  CHECK(f.role("a").ready == 0);
  CHECK(f.retired.empty());
  f.carry_out(f.core.on_holds({}, f.now));
  f.tick(30);
  CHECK(f.role("a").ready >= 2 + before); // it has found those that there are
}

TEST_CASE("what other nodes want agents for comes on top of what waits here") {
  fleet_fixture f;
  f.demand("a", 2, 0);
  f.carry_out(f.core.on_peer_demand({role_name{"a"}, 3, 0, 0}, f.now));
  CHECK(f.asked("a") == 5);
  f.deliver(5);
  f.carry_out(f.core.on_peer_demand({role_name{"a"}, 0, 0, 0}, f.now));
  f.demand("a", 0, 2);
  CHECK(f.asked("a") == 0);
}
