#include "app/agents_service/service.hpp"

#include "app/random_id.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <cctype>
#include <optional>
#include <utility>

namespace rolecall::agents {

namespace {

using json = nlohmann::json;

void respond(net::http_exchange& exchange, const answer& value) {
  exchange.respond(to_response(value));
}

answer ok(json body) {
  return {200, std::move(body), {}};
}

const answer no_content{204, nullptr, {}};

answer invalid_request(const std::vector<problem>& problems) {
  auto text = to_text(problems);
  text.pop_back(); // the last line break
  return refusal(400, "invalid_request", text);
}

answer unknown_role(const std::string& name) {
  return refusal(404, "unknown_role", "there is no role \"" + name + "\"; see GET /roles");
}

answer unknown_agent(const std::string& id) {
  return refusal(404, "unknown_agent", "there is no agent \"" + id + "\"; see GET /agents");
}

answer shutting_down() {
  return refusal_for_now(503, "shutting_down", "the service is being stopped");
}

/// The decoded segments of a path; none if an escape is broken.
std::optional<std::vector<std::string>> split(std::string_view path) {
  std::vector<std::string> result;
  path.remove_prefix(std::min<std::size_t>(1, path.size()));
  for (bool more = true; more;) {
    auto slash = path.find('/');
    more = slash != std::string_view::npos;
    auto segment = net::decode_path_segment(path.substr(0, slash));
    if (!segment)
      return std::nullopt;
    result.push_back(std::move(*segment));
    path.remove_prefix(more ? slash + 1 : path.size());
  }
  return result;
}

bool matches(const std::vector<const char*>& pattern, const std::vector<std::string>& path) {
  return std::equal(
      pattern.begin(), pattern.end(), path.begin(), path.end(),
      [](std::string_view wanted, const auto& got) { return wanted == "*" || wanted == got; });
}

/// The name of the role, readable and safe in a path, and something that no other agent ever had.
std::string new_agent_id(const role& kind) {
  auto id = kind.name.substr(0, 64);
  for (auto& c : id)
    if (!std::isalnum(static_cast<unsigned char>(c)) && c != '.' && c != '_')
      c = '-';
  return id + '-' + random_hex(8);
}

json describe(const role& kind) {
  return {{"role", kind.name}, {"skills", kind.skills}, {"max_concurrency", kind.max_concurrency}};
}

json describe(const agent& one) {
  auto result = describe(one.kind());
  result["agent_id"] = one.id();
  result["state"] = one.running() == 0 ? "idle" : "busy";
  result["tasks"] = one.task_ids();
  if (auto pid = one.pid())
    result["pid"] = *pid;
  return result;
}

} // namespace

service::service(boost::asio::io_context& context, supervisor& processes, std::vector<role> roles,
                 std::size_t max_agents)
    : context_{context}, processes_{processes}, roles_{std::move(roles)}, max_agents_{max_agents} {}

const std::vector<service::route>& service::routes() {
  static const std::vector<route> all{
      {"GET", {"health"}, &service::get_health},
      {"GET", {"roles"}, &service::get_roles},
      {"GET", {"agents"}, &service::get_agents},
      {"POST", {"agents"}, &service::spawn},
      {"DELETE", {"agents", "*"}, &service::retire},
      {"POST", {"agents", "*", "execute"}, &service::execute_on},
      {"DELETE", {"agents", "*", "tasks", "*"}, &service::cancel},
      {"POST", {"execute"}, &service::execute_anywhere},
  };
  return all;
}

void service::handle(const exchange_ptr& exchange) {
  if (stopping_)
    return respond(*exchange, shutting_down());
  // Browsers send it with what a page asks of another site. A page that its user happens to look at
  // must not run commands here.
  if (net::find_header(exchange->headers(), "Origin"))
    return respond(*exchange, refusal(403, "forbidden", "web pages may not use this service"));
  auto path = split(exchange->path());
  std::string allowed;
  if (path)
    for (const auto& candidate : routes()) {
      if (!matches(candidate.path, *path))
        continue;
      if (exchange->method() == candidate.method)
        return (this->*candidate.handle)(exchange, *path);
      allowed += (allowed.empty() ? "" : ", ") + std::string{candidate.method};
    }
  if (allowed.empty())
    return respond(*exchange, refusal(404, "not_found", "there is nothing at this path"));
  auto response = to_response(refusal(405, "method_not_allowed", "allowed here: " + allowed));
  response.headers.push_back({"Allow", allowed});
  exchange->respond(std::move(response));
}

void service::get_health(const exchange_ptr& exchange, const segments&) {
  respond(*exchange, ok({{"status", "ok"}}));
}

void service::get_roles(const exchange_ptr& exchange, const segments&) {
  auto list = json::array();
  for (const auto& kind : roles_)
    list.push_back(describe(kind));
  respond(*exchange, ok({{"roles", std::move(list)}}));
}

void service::get_agents(const exchange_ptr& exchange, const segments&) {
  auto list = json::array();
  for (const auto& [id, one] : agents_)
    list.push_back(describe(*one));
  respond(*exchange, ok({{"agents", std::move(list)}}));
}

void service::spawn(const exchange_ptr& exchange, const segments&) {
  std::vector<problem> problems;
  auto body = parse_json(exchange->body(), {1u << 20, 64}, problems);
  std::string name;
  if (body)
    name = object_reader{*body, "", problems}.required_name("role").value_or("");
  if (!problems.empty())
    return respond(*exchange, invalid_request(problems));
  const auto* kind = find_role(name);
  if (!kind)
    return respond(*exchange, unknown_role(name));
  auto spawned = spawn_agent(*kind);
  if (auto* refused = std::get_if<answer>(&spawned))
    return respond(*exchange, *refused);
  respond(*exchange, {201, describe(*std::get<0>(spawned)), {}});
}

void service::retire(const exchange_ptr& exchange, const segments& path) {
  auto found = agents_.find(path[1]);
  if (found == agents_.end())
    return respond(*exchange, unknown_agent(path[1]));
  auto one = found->second;
  agents_.erase(found);
  spdlog::info("agent {} is retired", one->id());
  one->retire(refusal(503, "agent_retired", "the agent was retired while it worked on the task"),
              [exchange] { respond(*exchange, no_content); });
}

void service::execute_on(const exchange_ptr& exchange, const segments& path) {
  auto found = agents_.find(path[1]);
  if (found == agents_.end())
    return respond(*exchange, unknown_agent(path[1]));
  const auto& one = found->second;
  std::vector<problem> problems;
  auto request = read_execute(exchange->body(), role_field::optional, problems);
  if (request && !request->role.empty() && request->role != one->kind().name)
    problems.push_back({"/role", "is \"" + request->role + "\", but this agent is a \"" +
                                     one->kind().name + "\""});
  if (!problems.empty())
    return respond(*exchange, invalid_request(problems));
  if (one->works_on(request->task_id))
    return respond(*exchange, refusal_for_now(429, "busy", "the agent works on this very task"));
  if (!one->is_free())
    return respond(*exchange, refusal_for_now(429, "busy", "the agent has all it can do at once"));
  give(exchange, one, std::move(*request));
}

void service::execute_anywhere(const exchange_ptr& exchange, const segments&) {
  std::vector<problem> problems;
  auto request = read_execute(exchange->body(), role_field::required, problems);
  if (!problems.empty())
    return respond(*exchange, invalid_request(problems));
  const auto* kind = find_role(request->role);
  if (!kind)
    return respond(*exchange, unknown_role(request->role));
  for (const auto& [id, one] : agents_)
    if (&one->kind() == kind && one->is_free() && !one->works_on(request->task_id))
      return give(exchange, one, std::move(*request));
  auto spawned = spawn_agent(*kind);
  if (auto* refused = std::get_if<answer>(&spawned))
    return respond(*exchange, *refused);
  give(exchange, std::get<0>(spawned), std::move(*request));
}

void service::cancel(const exchange_ptr& exchange, const segments& path) {
  auto found = agents_.find(path[1]);
  if (found == agents_.end())
    return respond(*exchange, unknown_agent(path[1]));
  const auto& one = *found->second;
  // A late word about one attempt must not end the next.
  auto attempt = net::find_header(exchange->headers(), "Rolecall-Attempt");
  if (!one.works_on(path[3]) || (attempt && !one.works_on(path[3], *attempt)))
    return respond(*exchange, refusal(404, "unknown_task", "the agent does not work on that task"));
  found->second->cancel(path[3], task_failed("canceled", "the task was canceled"),
                        [exchange] { respond(*exchange, no_content); });
}

void service::give(const exchange_ptr& exchange, const std::shared_ptr<agent>& to,
                   execute_request request) {
  auto task_id = request.task_id;
  to->execute(std::move(request), [exchange](const answer& result) { respond(*exchange, result); });
  exchange->on_disconnect([to, task_id] {
    to->cancel(task_id, task_failed("canceled", "the client went away"), [] {});
  });
}

std::variant<std::shared_ptr<agent>, answer> service::spawn_agent(const role& kind) {
  auto of_role = std::count_if(agents_.begin(), agents_.end(),
                               [&](const auto& entry) { return &entry.second->kind() == &kind; });
  if (static_cast<std::size_t>(of_role) >= kind.max_agents)
    return refusal_for_now(429, "no_capacity",
                           "there are " + std::to_string(of_role) +
                               " agents of this role, which is the limit");
  if (agents_.size() >= max_agents_)
    return refusal_for_now(429, "no_capacity",
                           "there are " + std::to_string(agents_.size()) +
                               " agents, which is the limit");
  auto id = new_agent_id(kind);
  auto made = make_agent(context_, processes_, kind, id, [this, id] { agents_.erase(id); });
  if (auto* why = std::get_if<std::string>(&made)) {
    spdlog::error("no agent for {}: {}", kind.name, *why);
    return refusal_for_now(503, "spawn_failed", *why);
  }
  auto one = std::get<std::shared_ptr<agent>>(made);
  agents_.emplace(id, one);
  spdlog::info("agent {} is spawned", id);
  return one;
}

const role* service::find_role(const std::string& name) const {
  auto found = std::find_if(roles_.begin(), roles_.end(),
                            [&](const role& kind) { return kind.name == name; });
  return found == roles_.end() ? nullptr : &*found;
}

void service::stop(std::function<void()> stopped) {
  stopping_ = true;
  for (auto& [id, one] : std::exchange(agents_, {}))
    one->retire(shutting_down(), [] {});
  processes_.terminate_all(std::move(stopped));
}

} // namespace rolecall::agents
