// How the fleet is scaled: by many roles, with services that are slow, silent or short-lived.
#include "actors/manager/fleet.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <deque>
#include <set>

using namespace rolecall;

namespace {

constexpr auto first = "first";
constexpr auto second = "second";

fleet_options two_services() {
  fleet_options options;
  options.services = {{service_name{first}, "http://first"},
                      {service_name{second}, "http://second"}};
  options.defaults.max_agents = 1'000;
  options.defaults.idle_timeout = millis{1'000};
  return options;
}

/// A fleet whose services answer checks by what the test says, and spawns only when it says so.
struct fleet_fixture {
  explicit fleet_fixture(fleet_options options = two_services()) : core{std::move(options)} {
    offers[first] = {"a", "b"};
    offers[second] = {"c"};
    tick(2);
  }

  void tick(int times = 1) {
    for (; times > 0; --times) {
      now += millis{100};
      carry_out(core.on_tick(now));
    }
  }
  void demand(const std::string& role, std::uint32_t waiting, std::uint32_t running) {
    carry_out(core.on_demand({role_name{role}, waiting, running, 0}, now));
  }
  /// The services answer the oldest spawns that they were asked for.
  void deliver(std::size_t count, bool ok = true) {
    for (; count > 0 && !spawns.empty(); --count) {
      auto answer = spawns.front();
      spawns.pop_front();
      answer.ok = ok;
      if (ok)
        answer.agents = {
            listed[answer.service.value].emplace_back(make(answer.service, answer.role.value))};
      else
        answer.error = {ec::spawn_refused, "no room"};
      carry_out(core.on_answer(answer, now));
    }
  }
  agent_record make(const service_name& service, const std::string& role) {
    agent_record record;
    record.key = {service, agent_id{role + "-" + std::to_string(++made)}};
    record.role = role_name{role};
    record.max_concurrency = slots;
    return record;
  }
  role_status role(const std::string& name) const {
    for (const auto& each : core.status().role_states)
      if (each.role.value == name)
        return each;
    return {};
  }
  std::size_t asked(const std::string& role) const {
    return static_cast<std::size_t>(std::count_if(
        spawns.begin(), spawns.end(), [&](const auto& each) { return each.role.value == role; }));
  }

  // -- carrying out
  void operator()(const fleet::put&) {}
  void operator()(const fleet::remove& effect) { idle.erase(effect.key); }
  void operator()(const role_directory&) {}
  void operator()(const role_unavailable& news) { given_up.push_back(news.role.value); }
  void operator()(const fleet::ask_idle& effect) {
    std::vector<agent_key> found;
    if (effect.at_least == millis{0})
      for (const auto& key : idle)
        found.push_back(key);
    carry_out(core.on_idle(effect.role, found));
  }
  void operator()(service_answer question) {
    if (question.question == service_question::spawn) {
      spawns.push_back(question);
      return;
    }
    question.ok = reachable;
    if (!reachable)
      question.error = {ec::service_unreachable, "connection refused"};
    auto& agents = listed[question.service.value];
    if (question.question == service_question::agents)
      question.agents = agents;
    if (question.question == service_question::roles)
      for (const auto& role : offers[question.service.value]) {
        role_offer offer;
        offer.role = role_name{role};
        offer.service = question.service;
        offer.max_concurrency = slots;
        question.roles.push_back(offer);
      }
    if (question.question == service_question::retire) {
      retired.push_back(question.agent.value);
      std::erase_if(agents, [&](const auto& each) { return each.key.id == question.agent; });
    }
    carry_out(core.on_answer(question, now));
  }
  void carry_out(const fleet::effects& effects) {
    for (const auto& effect : effects) {
      std::visit(*this, effect);
      // Draining agents have nothing to do in most of these tests.
      if (const auto* news = std::get_if<fleet::put>(&effect))
        if (news->record.state == agent_state::draining && !busy.contains(news->record.key))
          carry_out(core.on_drained(news->record.key));
    }
  }

  fleet core;
  fleet::time_point now{std::chrono::hours{100}};
  std::uint32_t slots{1};
  std::map<std::string, std::vector<std::string>> offers;
  std::map<std::string, std::vector<agent_record>> listed;
  std::deque<service_answer> spawns;
  std::set<agent_key> idle;
  std::set<agent_key> busy;
  std::vector<std::string> retired;
  std::vector<std::string> given_up;
  bool reachable{true};
  int made{0};
};

fleet_options with_total(std::uint32_t total) {
  auto options = two_services();
  options.max_agents = total;
  return options;
}

} // namespace

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
  f.deliver(3);
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

TEST_CASE(
    "a thousand agents that die within a second are replaced no faster than the rate allows") {
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
