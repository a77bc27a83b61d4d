#include "app/client/fleet_text.hpp"

#include "app/client/task_json.hpp"
#include "app/client/top_view.hpp"
#include "app/run/summary.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace rolecall::client {

namespace {

std::string names_of(const json& object, const char* key) {
  std::string result;
  auto found = object.is_object() ? object.find(key) : object.end();
  if (found != object.end() && found->is_object())
    for (const auto& [name, value] : found->items())
      result += (result.empty() ? "" : " ") + name;
  return result;
}

/// An error, a problem or a trouble: "code: message", or nothing.
std::string error_of(const json& object, const char* key) {
  auto found = object.is_object() ? object.find(key) : object.end();
  return found != object.end() && found->is_object()
             ? text(*found, "code") + ": " + text(*found, "message")
             : std::string{};
}

/// How many attempts it has of how many it is given; whether that is found out, not declared.
std::string load_of(const json& agent) {
  auto learnt = shown(agent, "limit_declared") == "false";
  return shown(agent, "in_flight") + "/" + shown(agent, "limit") + (learnt ? " (adaptive)" : "");
}

const char* colour_of_state(const std::string& state) {
  return state == "ready" ? "\x1b[32m" : "\x1b[33m";
}

std::string services_of(const json& node) {
  std::string result;
  auto services = node.is_object() ? node.find("services") : node.end();
  if (services == node.end() || !services->is_array())
    return result;
  for (const auto& service : *services) {
    result += (result.empty() ? "" : ", ") + shown(service, "service");
    if (auto holder = text(service, "managed_by"); !holder.empty())
      result += " (managed by " + holder + ")";
    else if (shown(service, "reachable") != "true")
      result += " (away: " + shown(service, "problem") + ")";
    else if (auto problem = text(service, "problem"); !problem.empty())
      result += " (" + problem + ")";
  }
  return result;
}

} // namespace

std::string shown_time(const json& object, const char* key) {
  constexpr double most = 1e15;
  auto value = number(object, key);
  return value && *value >= 0 && *value < most
             ? short_time(millis{static_cast<millis::rep>(std::llround(*value))})
             : "-";
}

std::string shown_rate(const json& object, const char* key) {
  auto rate = number(object, key);
  if (!rate)
    return "-";
  char text[32];
  std::snprintf(text, sizeof text, "%.1f %%", std::clamp(*rate, 0.0, 1.0) * 100);
  return text;
}

table agent_rows(const json& agents) {
  table result{{"agent", "service", "node", "role", "state", "condition", "load", "succeeded",
                "failed", "success", "latency", "skills", "last error"},
               {}};
  for (const auto& one : agents) {
    auto condition = shown(one, "condition");
    auto unhealthy = condition == "unhealthy"; // why that is counts for more than its last task
    result.rows.push_back({{shown(one, "agent_id")},
                           {shown(one, "service")},
                           {shown(one, "node")},
                           {shown(one, "role")},
                           {shown(one, "state"), colour_of_state(shown(one, "state"))},
                           {condition, condition == "ok" ? "" : "\x1b[33m"},
                           {load_of(one)},
                           {shown(one, "succeeded")},
                           {shown(one, "failed")},
                           {shown_rate(one, "success_rate")},
                           {shown_time(one, "latency_ms")},
                           {names_of(one, "skills")},
                           {error_of(one, unhealthy ? "problem" : "last_error"), "\x1b[31m"}});
  }
  return result;
}

table role_rows(const json& roles) {
  table result{{"role", "service", "waiting", "running", "slots", "free", "agents", "desired",
                "min", "max", "starting", "failures", "retry in", "skills", "trouble"},
               {}};
  for (const auto& one : roles)
    result.rows.push_back({{shown(one, "role")},
                           {shown(one, "service")},
                           {shown(one, "waiting")},
                           {shown(one, "running")},
                           {shown(one, "slots")},
                           {shown(one, "free_slots")},
                           {shown(one, "agents")},
                           {shown(one, "desired")},
                           {shown(one, "min_agents")},
                           {shown(one, "max_agents")},
                           {shown(one, "starting")},
                           {shown(one, "spawn_failures")},
                           {shown_time(one, "spawn_backoff_ms")},
                           {names_of(one, "skills")},
                           {error_of(one, "trouble"), "\x1b[31m"}});
  return result;
}

table node_rows(const json& nodes) {
  table result{{"node", "state", "version", "uptime", "open tasks", "agents", "services", "address",
                "round trip", "lag", "running there", "running here", "problem"},
               {}};
  const auto none = json::object();
  for (const auto& one : nodes) {
    auto found = one.is_object() ? one.find("link") : one.end();
    const auto& link = found != one.end() ? *found : none;
    auto uptime = number(one, "uptime_ms");
    result.rows.push_back(
        {{shown(one, "node")},
         {shown(one, "state"), colour_of_state(shown(one, "state"))},
         {shown(one, "version")},
         {uptime && *uptime < 1e15 ? long_time(millis{static_cast<millis::rep>(*uptime)}) : "-"},
         {shown(one, "open_tasks")},
         {shown(one, "agents")},
         {services_of(one)},
         {shown(link, "address")},
         {shown_time(link, "round_trip_ms")},
         {shown(link, "lag")},
         {shown(link, "attempts")},
         {shown(link, "serving")},
         {shown(link, "problem"), "\x1b[31m"}});
  }
  return result;
}

table stats_rows(const json& stats) {
  table result{{"figure", "value"}, {}};
  auto add = [&](const std::string& name, const std::string& value) {
    result.rows.push_back({{name}, {value}});
  };
  auto add_all = [&](const char* group) {
    auto found = stats.is_object() ? stats.find(group) : stats.end();
    if (found != stats.end() && found->is_object())
      for (const auto& [name, value] : found->items())
        add(std::string{group} + " " + name, shown(*found, name.c_str()));
  };
  add("node", shown(stats, "node"));
  add("accepted", shown(stats, "accepted"));
  add_all("tasks");
  add("retries", shown(stats, "retries"));
  add_all("agents");
  add("success rate", shown_rate(stats, "success_rate"));
  auto latency = stats.is_object() ? stats.find("latency_ms") : stats.end();
  for (const auto* name : {"p50", "p90", "p99"})
    add(std::string{"latency "} + name, latency == stats.end() ? "-" : shown_time(*latency, name));
  return result;
}

} // namespace rolecall::client
