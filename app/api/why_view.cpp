// Why a task went where it went, or why it waits, in words and in figures.
#include "app/api/views.hpp"

#include "app/api/problem.hpp"
#include "messages/duration.hpp"
#include "messages/json_codec.hpp"

#include <algorithm>

namespace rolecall::api {

namespace {

json candidate_view(const candidate& each) {
  return {{"agent_id", each.agent.id.value},
          {"service", each.agent.service.value},
          {"eligible", each.eligible},
          {"chosen", each.chosen},
          {"note", each.note},
          {"free_slots", each.max_concurrency - std::min(each.in_flight, each.max_concurrency)},
          {"in_flight", each.in_flight},
          {"max_concurrency", each.max_concurrency},
          {"success_rate", each.success_rate},
          {"latency_ms", each.latency_ms}};
}

/// What is being done so that the role gets more agents, or why nothing is.
std::string supply_text(const role_status* state) {
  std::string text;
  if (!state)
    return text;
  if (state->starting > 0)
    text += "; " + count_of(state->starting, "agent") + (state->starting == 1 ? " is" : " are") +
            " being started";
  if (!state->trouble.code.empty())
    text += "; " + state->trouble.message;
  if (state->spawn_failures > 0 && state->spawn_backoff > millis{0})
    text += "; after " + count_of(state->spawn_failures, "failed spawn") +
            " the next one is tried in " + format_duration(state->spawn_backoff);
  return text;
}

std::string wait_text(const task_detail& task, const wait_explanation& why,
                      const role_status* state) {
  const auto& role = task.spec.role.value;
  auto agents = count_of(why.candidates.best.size() + why.candidates.omitted, "agent");
  switch (why.reason) {
  case wait_reason::no_agent:
    return "waits: the role \"" + role + "\" has no agent" + supply_text(state);
  case wait_reason::at_limit:
    return "waits: of the " + agents + " of the role \"" + role +
           "\", those that could take it are at their limit" + supply_text(state);
  case wait_reason::parked:
    return "waits: the agents of the role \"" + role +
           "\" have asked to be left alone; the first of them may be used again in " +
           format_duration(why.until);
  case wait_reason::lacks_skill:
    return "waits: none of the " + agents + " of the role \"" + role +
           "\" has all the skills that it needs" + supply_text(state);
  case wait_reason::draining:
    return "waits: the " + agents + " of the role \"" + role +
           "\" that could take it are draining, and get nothing new" + supply_text(state);
  case wait_reason::suspect:
    return "waits: the agents of the role \"" + role +
           "\" behave as if they were gone; their service is being asked";
  case wait_reason::bounded:
    return "waits: as many attempts run as may run at the same time (execution.max_parallel)";
  case wait_reason::ejected:
    return "waits: the agents of the role \"" + role +
           "\" that have a free slot have failed too often; the first of them is tried again in " +
           format_duration(why.until);
  case wait_reason::role_cap:
  case wait_reason::key_cap: return "waits: as many attempts run as may: " + why.limit;
  case wait_reason::rate_limit:
    return "waits: as much has been started as may be: " + why.limit + "; the next may start in " +
           format_duration(why.until);
  case wait_reason::better_soon:
    return "waits: an agent that would do it sooner than those that are free is expected to be "
           "free in " +
           format_duration(why.until);
  }
  return "waits";
}

std::string placed_text(const task_detail& task) {
  const auto& all = task.candidates.best;
  auto text = "attempt " + std::to_string(task.record.attempts) + " went to " +
              to_string(task.record.agent);
  if (all.size() < 2)
    return text + ": it was the only agent of the role \"" + task.spec.role.value + "\"";
  const auto& chosen = all[0];
  const auto& next = all[1];
  auto free = [](const candidate& c) {
    return c.max_concurrency - std::min(c.in_flight, c.max_concurrency);
  };
  text += ", before " + to_string(next.agent) + ", ";
  if (!next.eligible)
    return text + "which " + next.note;
  if (free(chosen) != free(next))
    return text + "because it had more free slots (" + std::to_string(free(chosen)) + " against " +
           std::to_string(free(next)) + ")";
  if (chosen.success_rate != next.success_rate)
    return text + "because of its better success rate";
  if (chosen.latency_ms != next.latency_ms)
    return text + "because of its lower latency";
  return text + "because of its id: in all else they were equal";
}

} // namespace

json why_view(const task_detail& task, const wait_explanation* waiting, const role_status* role) {
  const auto& record = task.record;
  json result{{"task_id", record.id.value},
              {"state", to_string(record.state)},
              {"attempt", record.attempts},
              {"explanation", ""},
              {"reason", ""},
              {"decided_at", nullptr},
              {"position", nullptr},
              {"waiting", nullptr},
              {"chosen", nullptr},
              {"candidates", json::array()},
              {"omitted", 0}};
  auto show = [&](const candidate_list& list) {
    for (const auto& each : list.best)
      result["candidates"].push_back(candidate_view(each));
    result["omitted"] = list.omitted;
  };
  auto say = [&](const std::string& reason, std::string text) {
    result["reason"] = reason;
    result["explanation"] = std::move(text);
  };
  if (task.blockers > 0) {
    auto text = "waits for " + count_of(task.blockers, "task") + " that it depends on:";
    for (const auto& id : task.blocked_by)
      text += " " + id.value;
    say("blocked", text + (task.blocked_by.size() < task.blockers ? " …" : ""));
  } else if (waiting) {
    say(to_string(waiting->reason), wait_text(task, *waiting, role));
    result["position"] = waiting->position;
    result["waiting"] = waiting->waiting;
    show(waiting->candidates);
  } else if (record.state == task_state::submitted) {
    say("backing_off", record.error.code.empty()
                           ? std::string{"is about to be given to an agent"}
                           : "waits for its next attempt, in " + format_duration(task.retry_in) +
                                 "; the last one failed: " + record.error.message);
    show(task.candidates);
  } else if (task.history.empty()) {
    say("ended", "never got an agent: " + record.error.message);
  } else {
    say("placed", placed_text(task));
    result["decided_at"] = time_text(record.started_at);
    result["chosen"] = record.agent.id.value;
    show(task.candidates);
  }
  return result;
}

} // namespace rolecall::api
