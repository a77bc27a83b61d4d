// Why a task went where it went, or why it waits, in words and in figures.
#include "app/api/views.hpp"

#include "app/api/problem.hpp"
#include "messages/duration.hpp"
#include "messages/json_codec.hpp"

#include <algorithm>
#include <cstdio>

namespace rolecall::api {

namespace {

json terms_view(const score_terms& terms) {
  return {{"score", terms.score},     {"expected_ms", terms.expected_ms}, {"skill", terms.skill},
          {"success", terms.success}, {"affinity", terms.affinity},       {"hot", terms.hot}};
}

json candidate_view(const candidate& each, routing_policy policy) {
  json result{{"agent_id", each.agent.id.str()},
              {"service", each.agent.service.str()},
              {"node", each.agent.node.str()},
              {"eligible", each.eligible},
              {"chosen", each.chosen},
              {"note", each.note},
              {"free_slots", each.max_concurrency - std::min(each.in_flight, each.max_concurrency)},
              {"in_flight", each.in_flight},
              {"max_concurrency", each.max_concurrency},
              {"success_rate", each.success_rate},
              {"latency_ms", each.latency_ms}};
  if (policy == routing_policy::adaptive && each.terms.score > 0)
    result["terms"] = terms_view(each.terms);
  return result;
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
  const auto& role = task.spec->role.str();
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
  case wait_reason::unhealthy:
    return "waits: the agents of the role \"" + role +
           "\" that are left fail their health checks; the next check is " +
           (why.until > millis{0} ? "in " + format_duration(why.until) : "under way or due") +
           supply_text(state);
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
  case wait_reason::fair_share: return "waits: agents are left to others: " + why.limit;
  case wait_reason::better_soon:
    return "waits: an agent that would do it sooner than those that are free, or that others need "
           "less, is expected to be free in " +
           format_duration(why.until);
  }
  return "waits";
}

std::string rounded_text(double value) {
  char text[32];
  std::snprintf(text, sizeof text, value < 10 ? "%.2f" : "%.0f", value);
  return text;
}

/// What of the score spoke for the chosen one, against the next.
std::string score_text(const candidate& chosen, const candidate& next) {
  const auto& a = chosen.terms;
  const auto& b = next.terms;
  if (a.hot != b.hot)
    return "because the other has more to do than most";
  std::string text = "because of its score, " + rounded_text(a.score) + " against " +
                     rounded_text(b.score) + " (the lower is the better; expected " +
                     rounded_text(a.expected_ms) + " ms against " + rounded_text(b.expected_ms) +
                     " ms";
  if (a.success != b.success)
    text += ", success " + rounded_text(a.success) + " against " + rounded_text(b.success);
  if (a.skill != b.skill)
    text += ", skill " + rounded_text(a.skill) + " against " + rounded_text(b.skill);
  if (a.affinity != b.affinity)
    text += a.affinity > 0 ? ", its context belongs here" : ", though its context belongs there";
  return text + ")";
}

std::string placed_text(const task_detail& task) {
  const auto& all = task.candidates->best;
  auto text = "attempt " + std::to_string(task.record->attempts) + " went to " +
              to_string(task.record->agent);
  if (all.size() < 2)
    return text + ": it was the only agent of the role \"" + task.spec->role.str() + "\"";
  const auto& chosen = all[0];
  const auto& next = all[1];
  text += ", before " + to_string(next.agent) + ", ";
  if (!next.eligible)
    return text + "which " + next.note;
  switch (task.candidates->policy) {
  case routing_policy::adaptive:
    if (chosen.terms.score == next.terms.score && chosen.terms.hot == next.terms.hot)
      return text + "because of its id: in all else they were equal";
    return text + score_text(chosen, next);
  case routing_policy::least_requests:
  case routing_policy::p2c:
    return text + "as it had no more in flight (" + std::to_string(chosen.in_flight) + " against " +
           std::to_string(next.in_flight) + "; policy " + to_string(task.candidates->policy) + ")";
  case routing_policy::round_robin: return text + "as its turn had come (policy round-robin)";
  case routing_policy::random: return text + "by lot (policy random)";
  }
  return text;
}

} // namespace

json why_view(const task_detail& task, const wait_explanation* waiting, const role_status* role) {
  const auto& record = *task.record;
  json result{{"task_id", record.id.str()},
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
      result["candidates"].push_back(candidate_view(each, list.policy));
    result["omitted"] = list.omitted;
  };
  auto say = [&](const std::string& reason, std::string text) {
    result["reason"] = reason;
    result["explanation"] = std::move(text);
  };
  if (task.blockers > 0) {
    auto text = "waits for " + count_of(task.blockers, "task") + " that it depends on:";
    for (const auto& id : task.blocked_by)
      text += " " + id.str();
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
    show(*task.candidates);
  } else if (task.history.empty()) {
    say("ended", "never got an agent: " + record.error.message);
  } else {
    say("placed", placed_text(task));
    result["decided_at"] = time_text(record.started_at);
    result["chosen"] = record.agent.id.str();
    show(*task.candidates);
  }
  return result;
}

} // namespace rolecall::api
