#pragma once

#include "actors/manager/fleet.hpp"

#include <algorithm>
#include <deque>
#include <set>

namespace rolecall::tests {

constexpr auto first = "first";
constexpr auto second = "second";

inline fleet_options two_services() {
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
            listed[answer.service.str()].emplace_back(make(answer.service, answer.role.str()))};
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
      if (each.role.str() == name)
        return each;
    return {};
  }
  std::size_t asked(const std::string& role) const {
    return static_cast<std::size_t>(std::count_if(
        spawns.begin(), spawns.end(), [&](const auto& each) { return each.role.str() == role; }));
  }

  // -- carrying out
  void operator()(const fleet::put& effect) {
    shown_ready += effect.record.state == agent_state::ready ? 1 : 0;
  }
  void operator()(const fleet::remove& effect) { idle.erase(effect.key); }
  void operator()(const role_directory&) {}
  void operator()(const role_unavailable& news) { given_up.push_back(news.role.str()); }
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
    auto& agents = listed[question.service.str()];
    if (question.question == service_question::agents) {
      if (hold_lists)
        return held_lists.push_back(question);
      list(question, agents);
    }
    if (question.question == service_question::roles)
      for (const auto& role : offers[question.service.str()]) {
        role_offer offer;
        offer.role = role_name{role};
        offer.service = question.service;
        offer.max_concurrency = slots;
        question.roles.push_back(offer);
      }
    if (question.question == service_question::retire) {
      retired.push_back(question.agent.str());
      std::erase_if(agents, [&](const auto& each) { return each.key.id == question.agent; });
    }
    carry_out(core.on_answer(question, now));
  }
  /// As the protocol does it.
  void list(service_answer& answer, const std::vector<agent_record>& agents) {
    std::string said;
    for (const auto& each : agents)
      said += to_string(each.key) + each.role.str() + std::to_string(each.max_concurrency) + "\n";
    auto content = std::hash<std::string>{}(said) | 1;
    answer.unchanged = reachable && content == std::exchange(answer.content, content);
    if (answer.unchanged)
      ++unread;
    else
      answer.agents = agents;
  }
  /// The services say what they have by now.
  void answer_lists() {
    hold_lists = false;
    for (auto& answer : std::exchange(held_lists, {})) {
      answer.ok = true;
      list(answer, listed[answer.service.str()]);
      carry_out(core.on_answer(answer, now));
    }
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
  bool hold_lists{false}; // the services take their time for them
  std::vector<service_answer> held_lists;
  std::deque<service_answer> spawns;
  std::set<agent_key> idle;
  std::set<agent_key> busy;
  std::vector<std::string> retired;
  std::vector<std::string> given_up;
  bool reachable{true};
  int made{0};
  int shown_ready{0}; // records
  int unread{0};      // lists that were said before
};

} // namespace rolecall::tests
