#include "app/api/views.hpp"

#include "messages/duration.hpp"
#include "messages/json_codec.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <map>

namespace rolecall::api {

namespace {

json error_or_null(const failure& error) {
  return error.code.empty() ? json(nullptr) : json(to_json(error));
}

/// Rounded so that a figure is no longer than it is exact.
double rounded(double value) {
  return std::round(value * 1'000) / 1'000;
}

json receipt_view(const receipt& of) {
  return {{"node", of.node},
          {"url", of.url},
          {"http_status", of.http_status == 0 ? json(nullptr) : json(of.http_status)},
          {"first_byte_ms", of.first_byte == micros{0}
                                ? json(nullptr)
                                : json(rounded(static_cast<double>(of.first_byte.count()) / 1e3))},
          {"request_bytes", of.request_bytes},
          {"answer_bytes", of.answer_bytes},
          {"request_sha256", of.request_sha256},
          {"answer_sha256", text_or_null(of.answer_sha256)}};
}

json attempt_view(const attempt_record& attempt) {
  json result{{"attempt", attempt.attempt},
              {"agent_id", attempt.agent.id.value},
              {"service", attempt.agent.service.value},
              {"node", attempt.agent.node.value},
              {"started_at", time_text(attempt.started_at)},
              {"run_ms", attempt.run.count()},
              {"verdict", attempt.ended ? to_string(attempt.verdict) : "running"}};
  if (attempt.hedge)
    result["hedge"] = true;
  if (!attempt.error.code.empty())
    result["error"] = to_json(attempt.error);
  if (!attempt.receipt.url.empty())
    result["receipt"] = receipt_view(attempt.receipt);
  return result;
}

json health_view(const agent_load& load) {
  if (load.checks_passed + load.checks_failed == 0)
    return nullptr;
  return {{"passed", load.checks_passed},
          {"failed", load.checks_failed},
          {"next_ms", load.next_check.count()},
          {"error", error_or_null(load.check_error)}};
}

/// What keeps the agent from being given tasks, or "ok".
const char* condition_of(const agent_load& load) {
  if (load.suspect)
    return "suspect";
  if (load.agent.state == agent_state::unhealthy)
    return "unhealthy";
  if (load.parked > millis{0})
    return "parked";
  return load.ejected > millis{0} ? "ejected" : "ok";
}

/// As it was submitted.
json retry_view(const retry_policy& retry) {
  auto result = json::object();
  if (retry.backoff >= millis{0})
    result["backoff"] = format_duration(retry.backoff);
  if (retry.max_backoff >= millis{0})
    result["max_backoff"] = format_duration(retry.max_backoff);
  if (!retry.codes.empty())
    result["codes"] = retry.codes;
  return result;
}

} // namespace

json time_text(unix_time at) {
  if (at == unix_time{0})
    return nullptr;
  auto seconds = static_cast<std::time_t>(at.count() / 1'000);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 64> text{};
  auto size = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  std::array<char, 8> fraction{};
  std::snprintf(fraction.data(), fraction.size(), ".%03dZ", static_cast<int>(at.count() % 1'000));
  return std::string{text.data(), size} + fraction.data();
}

json text_or_null(const std::string& text) {
  return text.empty() ? json(nullptr) : json(text);
}

json task_summary(const task_record& task) {
  json result{{"task_id", task.id.value},
              {"role", task.role.value},
              {"state", to_string(task.state)},
              {"priority", task.priority},
              {"labels", task.labels},
              {"context_id", task.context_id},
              {"agent_id", text_or_null(task.agent.id.value)},
              {"service", text_or_null(task.agent.service.value)},
              {"node", text_or_null(task.agent.node.value)},
              {"attempts", task.attempts},
              {"queued_ms", task.queued.count()},
              {"run_ms", task.run.count()},
              {"submitted_at", time_text(task.submitted_at)},
              {"started_at", time_text(task.started_at)},
              {"finished_at", time_text(task.finished_at)}};
  if (!task.home.empty())
    result["home"] = task.home.value;
  if (!task.retry_of.empty())
    result["retry_of"] = task.retry_of.value;
  if (!task.retried_as.empty())
    result["retried_as"] = task.retried_as.value;
  if (task.deadline_at > unix_time{0})
    result["deadline_at"] = time_text(task.deadline_at);
  if (!task.error.code.empty() && task.state != task_state::completed)
    result["error"] = to_json(task.error);
  return result;
}

std::string task_view(const task_detail& task) {
  auto result = task_summary(task.record);
  result["skills"] = task.spec.skills;
  result["timeout_ms"] = task.spec.timeout.count();
  result["max_attempts"] = task.spec.max_attempts;
  if (!task.spec.depends_on.empty()) {
    auto needed = json::array();
    for (const auto& id : task.spec.depends_on)
      needed.push_back(id.value);
    result["depends_on"] = std::move(needed);
    result["on_dependency_failure"] =
        task.spec.on_dependency_failure == dependency_policy::run ? "run" : "fail";
  }
  if (task.spec.idempotent)
    result["idempotent"] = true;
  if (task.spec.retry != retry_policy{})
    result["retry"] = retry_view(task.spec.retry);
  auto history = json::array();
  for (const auto& attempt : task.history)
    history.push_back(attempt_view(attempt));
  result["history"] = std::move(history);
  auto text = dump(result);
  text.pop_back(); // payloads are JSON already, and may be large
  text += ",\"input\":" + (task.spec.input.empty() ? "null" : task.spec.input.str());
  if (task.record.state == task_state::completed)
    text += ",\"output\":" + (task.record.output.empty() ? "null" : task.record.output.str());
  return text + "}";
}

json agent_record_view(const agent_record& agent) {
  json result{{"agent_id", agent.key.id.value},
              {"service", agent.key.service.value},
              {"role", agent.role.value},
              {"skills", agent.skills},
              {"max_concurrency", agent.max_concurrency},
              {"limit_declared", agent.limit_declared},
              {"state", to_string(agent.state)},
              {"node", agent.key.node.value}};
  if (agent.state == agent_state::unhealthy)
    result["problem"] = to_json(agent.problem);
  return result;
}

json agent_view(const agent_load& load, unix_time now) {
  auto has_ended = load.succeeded + load.failed > 0;
  auto result = agent_record_view(load.agent);
  result["condition"] = condition_of(load);
  result["parked_ms"] = load.parked.count();
  result["ejected_ms"] = load.ejected.count();
  result["ejections"] = load.ejections;
  result["health"] = health_view(load);
  result["limit"] = load.limit;
  result["in_flight"] = load.in_flight;
  result["succeeded"] = load.succeeded;
  result["failed"] = load.failed;
  result["success_rate"] = has_ended ? json(rounded(load.success_rate)) : json(nullptr);
  result["latency_ms"] = load.succeeded > 0 ? json(rounded(load.latency_ms)) : json(nullptr);
  result["idle_ms"] = load.idle.count();
  result["last_error"] = error_or_null(load.last_error);
  if (!load.last_error.code.empty())
    result["last_error"]["at"] = time_text(now - load.last_error_ago);
  return result;
}

json roles_view(const fleet_status& fleet, const routing_status& routing) {
  std::map<std::string, json> roles;
  auto entry = [&](const role_name& role) -> json& {
    auto& result = roles[role.value];
    if (result.is_null())
      result = {{"role", role.value},
                {"service", nullptr},
                {"skills", json::object()},
                {"max_concurrency", 1},
                {"limit_declared", true},
                {"min_agents", 0},
                {"max_agents", 0},
                {"agents", 0},
                {"ready", 0},
                {"unhealthy", 0},
                {"starting", 0},
                {"desired", 0},
                {"panic", false},
                {"spawn_failures", 0},
                {"spawn_backoff_ms", 0},
                {"waiting", 0},
                {"running", 0},
                {"slots", 0},
                {"free_slots", 0},
                {"trouble", nullptr}};
    return result;
  };
  for (const auto& offer : fleet.roles.offers) {
    auto& role = entry(offer.role);
    role["service"] = offer.service.value;
    role["skills"] = offer.skills;
    role["max_concurrency"] = offer.max_concurrency;
    role["limit_declared"] = offer.limit_declared;
    role["min_agents"] = offer.min_agents;
    role["max_agents"] = offer.max_agents;
  }
  for (const auto& state : fleet.role_states) {
    auto& role = entry(state.role);
    role["agents"] = state.ready + state.draining + state.unhealthy;
    role["ready"] = state.ready;
    role["unhealthy"] = state.unhealthy;
    role["starting"] = state.starting;
    role["desired"] = state.desired;
    role["panic"] = state.panic;
    role["spawn_failures"] = state.spawn_failures;
    role["spawn_backoff_ms"] = state.spawn_backoff.count();
    role["trouble"] = error_or_null(state.trouble);
  }
  for (const auto& demand : routing.roles) {
    auto& role = entry(demand.role);
    role["waiting"] = demand.waiting;
    role["running"] = demand.running;
  }
  std::map<std::string, std::pair<std::uint64_t, std::uint64_t>> slots; // role → all, free
  for (const auto& load : routing.agents) {
    auto& [all, free] = slots[load.agent.role.value];
    if (load.agent.state != agent_state::ready)
      continue;
    all += load.limit;
    free += load.limit - std::min(load.in_flight, load.limit);
  }
  for (const auto& [name, count] : slots) {
    auto& role = entry(role_name{name});
    role["slots"] = count.first;
    role["free_slots"] = count.second;
  }
  auto result = json::array();
  for (auto& [name, role] : roles)
    result.push_back(std::move(role));
  return result;
}

json services_view(const std::vector<service_status>& services) {
  auto result = json::array();
  for (const auto& service : services)
    result.push_back({{"service", service.name.value},
                      {"url", service.url},
                      {"reachable", service.reachable},
                      {"problem", text_or_null(service.problem)},
                      {"agents", service.agents},
                      {"managed_by", text_or_null(service.held_by.value)}});
  return result;
}

json node_view(const std::string& name, const std::string& version, const node_figures& figures,
               unix_time now) {
  std::uint32_t agents = 0;
  for (const auto& service : figures.services)
    agents += service.agents;
  auto started = figures.started_at > unix_time{0};
  return {{"node", name},
          {"version", text_or_null(version)},
          {"state", figures.state},
          {"started_at", time_text(figures.started_at)},
          {"uptime_ms", started ? json((now - figures.started_at).count()) : json(nullptr)},
          {"open_tasks", figures.open_tasks},
          {"agents", agents},
          {"services", services_view(figures.services)}};
}

json link_view(const link_status& link, unix_time now) {
  auto figures = link.figures;
  if (link.state != "up" || figures.state.empty())
    figures.state = link.state == "up" ? "starting" : link.state;
  auto result = node_view(link.node.value, link.version, figures, now);
  result["node"] = text_or_null(link.node.value);
  result["link"] = {
      {"state", link.state},
      {"address", text_or_null(link.address)},
      {"problem", text_or_null(link.problem)},
      {"since_ms", link.since.count()},
      {"round_trip_ms", link.round_trip.count() > 0
                            ? json(rounded(static_cast<double>(link.round_trip.count()) / 1e3))
                            : json(nullptr)},
      {"lag", link.lag},
      {"agents", link.agents},
      {"attempts", link.attempts},
      {"serving", link.serving},
      {"sent_bytes", link.sent},
      {"received_bytes", link.received},
      {"queued_bytes", link.queued},
      {"connects", link.connects}};
  return result;
}

} // namespace rolecall::api
