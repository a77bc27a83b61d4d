#include "app/api/routes.hpp"

#include "app/api/handlers.hpp"
#include "app/api/request.hpp"

#include <algorithm>
#include <array>

namespace rolecall::api {

namespace {

constexpr auto open_to_all = std::nullopt;
constexpr auto read = access_right::read;
constexpr auto submit = access_right::submit;
constexpr auto admin = access_right::admin;

const std::array routes{
    route{"POST", "/v1/tasks", submit, submit_tasks},
    route{"GET", "/v1/tasks", read, list_tasks},
    route{"GET", "/v1/tasks/*", read, get_task},
    route{"POST", "/v1/tasks/cancel", submit, cancel_tasks},
    route{"POST", "/v1/tasks/*/cancel", submit, cancel_task},
    route{"POST", "/v1/tasks/*/retry", submit, retry_task},
    route{"GET", "/v1/tasks/*/why", read, explain_task},
    route{"GET", "/v1/tasks/*/events", read, follow_task},
    route{"GET", "/v1/events", read, follow_all},
    route{"GET", "/v1/agents", read, list_agents},
    route{"POST", "/v1/agents", admin, spawn_agent},
    route{"GET", "/v1/agents/*", read, get_agent},
    route{"DELETE", "/v1/agents/*", admin, drain_agent},
    route{"GET", "/v1/roles", read, list_roles},
    route{"GET", "/v1/nodes", read, list_nodes},
    route{"GET", "/v1/stats", read, show_stats},
    route{"GET", "/metrics", read, show_metrics},
    route{"GET", "/healthz", open_to_all, show_health},
    route{"GET", "/readyz", open_to_all, show_readiness},
    route{"GET", "/openapi.json", open_to_all, show_openapi},
    route{"GET", "/errors", open_to_all, show_errors},
    route{"GET", "/", open_to_all, show_dashboard},
    route{"GET", "/assets/*", open_to_all, show_asset},
};

bool fits(std::string_view pattern, const std::vector<std::string>& path) {
  pattern.remove_prefix(1);
  for (std::size_t i = 0; i < path.size(); ++i) {
    auto end = pattern.find('/');
    auto wanted = pattern.substr(0, end);
    auto last = end == std::string_view::npos;
    if (wanted == "*" ? path[i].empty() : wanted != path[i])
      return false;
    if (last)
      return i + 1 == path.size();
    pattern.remove_prefix(end + 1);
  }
  return false;
}

/// Whether its answers can be asked for without their bodies: those of streams do not end.
bool answers_head(const route& each) {
  return each.method == "GET" && !each.pattern.ends_with("/events");
}

} // namespace

destination find_destination(std::string_view method, std::string_view path) {
  auto segments = path_segments(path);
  destination result;
  if (!segments) {
    result.wrong = {"not_found", "the path has a broken percent-escape", {}, {}};
    return result;
  }
  result.path = std::move(*segments);
  auto is_it = [&](const route& each) {
    return (each.method == method || (method == "HEAD" && answers_head(each))) &&
           fits(each.pattern, result.path);
  };
  const auto* found = std::find_if(routes.begin(), routes.end(), is_it);
  if (found != routes.end()) {
    result.found = found;
    result.right = found->right;
    return result;
  }
  auto allowed = allowed_methods(result.path);
  if (allowed.empty())
    result.wrong = {"not_found",
                    "there is nothing at " + std::string{path} +
                        "; /openapi.json says what there is",
                    {},
                    {}};
  else if (method != "OPTIONS")
    result.wrong = {"method_not_allowed",
                    std::string{method} + " is not for " + std::string{path},
                    {},
                    {{"Allow", std::move(allowed)}}};
  return result;
}

std::string allowed_methods(const std::vector<std::string>& path) {
  std::string result;
  for (const auto& each : routes)
    if (fits(each.pattern, path))
      result += std::string{each.method} + (answers_head(each) ? ", HEAD, " : ", ");
  return result.empty() ? result : result + "OPTIONS";
}

} // namespace rolecall::api
