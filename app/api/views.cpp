#include "app/api/views.hpp"

#include "messages/duration.hpp"
#include "messages/json_codec.hpp"
#include "messages/json_writer.hpp"

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

/// As `time_text`.
void append_time(std::string& text, unix_time at) {
  if (at == unix_time{0}) {
    text += "null";
    return;
  }
  using namespace std::chrono;
  auto day = floor<days>(sys_time<millis>{at});
  year_month_day date{day};
  hh_mm_ss time{sys_time<millis>{at} - day};
  std::string_view form{"\"0000-00-00T00:00:00.000Z\""};
  std::array<char, 26> figures{};
  std::copy(form.begin(), form.end(), figures.begin());
  // Never more digits than there is room for: a peer or a file may name any time.
  auto put = [&figures](std::size_t first, std::size_t count, auto value) {
    auto number = static_cast<unsigned>(value);
    for (auto place = first + count; place > first; number /= 10)
      figures[--place] = static_cast<char>('0' + number % 10);
  };
  put(1, 4, static_cast<int>(date.year()));
  put(6, 2, static_cast<unsigned>(date.month()));
  put(9, 2, static_cast<unsigned>(date.day()));
  put(12, 2, time.hours().count());
  put(15, 2, time.minutes().count());
  put(18, 2, time.seconds().count());
  put(21, 3, time.subseconds().count());
  text.append(figures.data(), figures.size());
}

void write_names(std::string& text, const std::vector<std::string>& names) {
  array_writer out{text};
  for (const auto& name : names)
    append_json(out.add(), name);
  out.end();
}

void write_summary(object_writer& out, const task_record& task) {
  out.add("task_id", task.id.str());
  out.add("role", task.role.str());
  out.add("state", to_string(task.state));
  out.add("priority", task.priority);
  object_writer labels{out.add_key("labels")};
  for (const auto& [name, value] : task.labels)
    append_json(labels.add_name(name), value);
  labels.end();
  out.add("context_id", task.context_id);
  out.add_or_null("agent_id", task.agent.id.str());
  out.add_or_null("service", task.agent.service.str());
  out.add_or_null("node", task.agent.node.str());
  out.add("attempts", task.attempts);
  out.add("queued_ms", task.queued.count());
  out.add("run_ms", task.run.count());
  append_time(out.add_key("submitted_at"), task.submitted_at);
  append_time(out.add_key("started_at"), task.started_at);
  append_time(out.add_key("finished_at"), task.finished_at);
  if (!task.home.empty())
    out.add("home", task.home.str());
  if (!task.retry_of.empty())
    out.add("retry_of", task.retry_of.str());
  if (!task.retried_as.empty())
    out.add("retried_as", task.retried_as.str());
  if (task.deadline_at > unix_time{0})
    append_time(out.add_key("deadline_at"), task.deadline_at);
  if (!task.error.code.empty() && task.state != task_state::completed)
    out.add_json("error", dump(to_json(task.error)));
}

void write_receipt(std::string& text, const receipt& of) {
  object_writer out{text};
  out.add("node", of.node);
  out.add("url", of.url);
  if (of.http_status == 0)
    out.add_json("http_status", "null");
  else
    out.add("http_status", of.http_status);
  if (of.first_byte == micros{0})
    out.add_json("first_byte_ms", "null");
  else
    out.add_json("first_byte_ms",
                 dump(json(rounded(static_cast<double>(of.first_byte.count()) / 1e3))));
  out.add("request_bytes", of.request_bytes);
  out.add("answer_bytes", of.answer_bytes);
  out.add("request_sha256", of.request_sha256);
  out.add_or_null("answer_sha256", of.answer_sha256);
  out.end();
}

void write_attempt(std::string& text, const attempt_record& attempt) {
  object_writer out{text};
  out.add("attempt", attempt.attempt);
  out.add("agent_id", attempt.agent.id.str());
  out.add("service", attempt.agent.service.str());
  out.add("node", attempt.agent.node.str());
  append_time(out.add_key("started_at"), attempt.started_at);
  out.add("run_ms", attempt.run.count());
  out.add("verdict", attempt.ended ? to_string(attempt.verdict) : "running");
  if (attempt.hedge)
    out.add("hedge", true);
  if (!attempt.error.code.empty())
    out.add_json("error", dump(to_json(attempt.error)));
  if (!attempt.receipt->url.empty())
    write_receipt(out.add_key("receipt"), *attempt.receipt);
  out.end();
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
  std::string text;
  append_time(text, at);
  return json::parse(text);
}

json text_or_null(const std::string& text) {
  return text.empty() ? json(nullptr) : json(text);
}

std::string task_summary(const task_record& task) {
  std::string text;
  object_writer out{text};
  write_summary(out, task);
  out.end();
  return text;
}

std::string task_view(const task_detail& task) {
  const auto& spec = *task.spec;
  const auto& record = *task.record;
  std::string text;
  constexpr std::size_t of_its_own = 1'024;
  text.reserve(of_its_own + spec.input.str().size() + record.output.str().size());
  object_writer out{text};
  write_summary(out, record);
  write_names(out.add_key("skills"), spec.skills);
  out.add("timeout_ms", task.timeout.count());
  out.add("max_attempts", task.max_attempts);
  if (!spec.depends_on.empty()) {
    array_writer needed{out.add_key("depends_on")};
    for (const auto& id : spec.depends_on)
      append_json(needed.add(), id.str());
    needed.end();
    out.add("on_dependency_failure",
            spec.on_dependency_failure == dependency_policy::run ? "run" : "fail");
  }
  if (spec.idempotent)
    out.add("idempotent", true);
  if (spec.retry != retry_policy{})
    out.add_json("retry", dump(retry_view(spec.retry)));
  array_writer history{out.add_key("history")};
  for (const auto& attempt : task.history)
    write_attempt(history.add(), attempt);
  history.end();
  out.add_json("input", spec.input.empty() ? "null" : spec.input.str());
  if (record.state == task_state::completed)
    out.add_json("output", record.output.empty() ? "null" : record.output.str());
  out.end();
  return text;
}

json agent_record_view(const agent_record& agent) {
  json result{{"agent_id", agent.key.id.str()},
              {"service", agent.key.service.str()},
              {"role", agent.role.str()},
              {"skills", agent.skills},
              {"max_concurrency", agent.max_concurrency},
              {"limit_declared", agent.limit_declared},
              {"state", to_string(agent.state)},
              {"node", agent.key.node.str()}};
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
    auto& result = roles[role.str()];
    if (result.is_null())
      result = {{"role", role.str()},
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
    role["service"] = offer.service.str();
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
    auto& [all, free] = slots[load.agent.role.str()];
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
    result.push_back({{"service", service.name.str()},
                      {"url", service.url},
                      {"reachable", service.reachable},
                      {"problem", text_or_null(service.problem)},
                      {"agents", service.agents},
                      {"managed_by", text_or_null(service.held_by.str())}});
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
  auto result = node_view(link.node.str(), link.version, figures, now);
  result["node"] = text_or_null(link.node.str());
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
