#pragma once

#include "actors/router/routing_table.hpp"

#include <catch2/catch.hpp>

namespace rolecall::tests {

inline const role_name worker{"worker"};

inline agent_key key(int number) {
  return {service_name{"s"}, agent_id{"a" + std::to_string(1'000 + number)}};
}

/// A routing table in a small world in which time goes by as the test says.
struct world {
  explicit world(router_options options = {}) : table{std::move(options)} {}

  void up(int number, std::uint32_t limit = 1, bool declared = true, skill_map skills = {}) {
    agent_record record;
    record.key = key(number);
    record.role = worker;
    record.skills = std::move(skills);
    record.max_concurrency = limit;
    record.limit_declared = declared;
    CHECK(table.apply({++sequence, agent_change::up, record}, now));
  }
  void up(int number, std::uint32_t limit, skill_map skills) {
    up(number, limit, true, std::move(skills));
  }
  void down(int number) {
    agent_record record;
    record.key = key(number);
    record.role = worker;
    table.apply({++sequence, agent_change::down, record}, now);
  }
  placement_request request(const std::string& task, std::uint32_t attempt = 1) {
    placement_request result;
    result.task = task_id{task};
    result.attempt = attempt;
    result.role = worker;
    result.age = ++age;
    return result;
  }
  /// Decides, and notes who got what.
  std::size_t settle() {
    auto before = at.size();
    for (const auto& decision : table.dispatch(now)) {
      if (const auto* p = std::get_if<placement>(&decision))
        at[{p->task.str(), p->attempt}] = p->agent.key;
      else
        refused[std::get<placement_refused>(decision).task.str()] =
            std::get<placement_refused>(decision).error;
    }
    return at.size() - before;
  }
  bool place(placement_request what) {
    table.place(std::move(what));
    return settle() > 0;
  }
  bool place(const std::string& task) { return place(request(task)); }
  void end(const std::string& task, verdict how = verdict::completed,
           micros elapsed = micros{10'000}, ec kind = ec::http_status, std::uint32_t attempt = 1) {
    attempt_outcome outcome;
    outcome.task = task_id{task};
    outcome.attempt = attempt;
    outcome.agent = at.at({task, attempt});
    outcome.verdict = how;
    outcome.elapsed = elapsed;
    if (how != verdict::completed)
      outcome.error = {kind, "failed"};
    at.erase({task, attempt});
    table.finished(outcome, now);
    settle();
  }
  /// One that goes nowhere else, and takes so long there.
  void run_on(int number, placement_request what, millis elapsed) {
    for (const auto& agent : table.status(now).agents)
      if (agent.agent.key != key(number))
        what.avoid.push_back(agent.agent.key);
    auto task = what.task.str();
    CHECK(place(std::move(what)));
    now += elapsed;
    end(task, verdict::completed, elapsed);
  }
  /// Lets time go by until the task runs.
  void wait_for(const std::string& task) {
    for (int i = 0; i < 100 && !at.contains({task, 1}); ++i) {
      auto due = table.next_due();
      REQUIRE(due);
      REQUIRE(*due > now);
      now = *due;
      settle();
    }
  }
  /// What the manager was told of the role the last.
  role_demand demand() {
    for (const auto& news : table.take_demand())
      if (news.role == worker)
        told = news;
    return told;
  }
  wait_explanation why(const std::string& task) {
    return table.explain(task_id{task}, now).value();
  }

  routing_table table;
  routing_table::time_point now{std::chrono::hours{1}};
  std::uint64_t sequence{0};
  std::uint64_t age{0};
  std::map<std::pair<std::string, std::uint32_t>, agent_key> at; // who runs what
  std::map<std::string, failure> refused;
  role_demand told{worker};
};

} // namespace rolecall::tests
