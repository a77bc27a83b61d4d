#include "app/api/handlers.hpp"

#include "messages/json_codec.hpp"

#include <algorithm>

namespace rolecall::api {

namespace {

template <class Next>
void with_routing(api_self self, const call_ptr& request, Next next) {
  self->request(self->state.peers.router, answer_timeout, atom::status_v)
      .then([next](const routing_status& routing) { next(routing); }, refuser(self, request));
}

template <class Next>
void with_fleet(api_self self, const call_ptr& request, Next next) {
  self->request(self->state.peers.manager, answer_timeout, atom::status_v)
      .then([next](const fleet_status& fleet) { next(fleet); }, refuser(self, request));
}

/// The agent that the path and the query name; refuses and gives null if there is none, or if there
/// are several.
const agent_load* find_agent(api_self self, const call_ptr& request, const routing_status& routing,
                             const std::optional<std::string>& service) {
  const agent_load* found = nullptr;
  for (const auto& each : routing.agents) {
    if (each.agent.key.id.value != request->path[2] ||
        (service && each.agent.key.service.value != *service))
      continue;
    if (found) {
      refuse(
          self, request,
          {"ambiguous_agent",
           "several services have an agent \"" + request->path[2] + "\"; say which with ?service=",
           {},
           {}});
      return nullptr;
    }
    found = &each;
  }
  if (!found)
    refuse(self, request,
           {"unknown_agent",
            "there is no agent \"" + request->path[2] + "\"" +
                (service ? " of the service \"" + *service + "\"" : ""),
            {},
            {}});
  return found;
}

/// A page of agents ends with this one. Escaped, so that the first slash stands between the two.
std::string cursor_of(const agent_key& key) {
  return net::encode_path_segment(key.service.value) + "/" + net::encode_path_segment(key.id.value);
}

std::optional<agent_key> read_cursor(query_reader& query) {
  auto text = query.text("cursor");
  if (!text)
    return std::nullopt;
  auto slash = text->find('/');
  auto service = net::decode_path_segment(text->substr(0, slash));
  auto id =
      slash == std::string::npos ? std::nullopt : net::decode_path_segment(text->substr(slash + 1));
  if (service && id)
    return agent_key{service_name{*service}, agent_id{*id}};
  query.complain("cursor", "is not one that this node gave");
  return std::nullopt;
}

} // namespace

void list_agents(api_self self, const call_ptr& request) {
  auto& query = request->query;
  auto role = query.text("role");
  auto service = query.text("service");
  auto state = query.text("state");
  if (state && *state != "ready" && *state != "draining" && *state != "unhealthy")
    query.complain("state", "must be ready, draining or unhealthy");
  auto limit = static_cast<std::size_t>(query.integer("limit", 1, 1'000).value_or(100));
  auto after = read_cursor(query);
  if (refuse_wrong_query(self, request))
    return;
  with_routing(self, request, [=](const routing_status& routing) {
    json body{{"agents", json::array()}};
    agent_key last;
    for (const auto& load : routing.agents) { // in the order of their keys
      const auto& agent = load.agent;
      auto next = (role && agent.role.value != *role) ||
                  (service && agent.key.service.value != *service) ||
                  (state && to_string(agent.state) != *state) || (after && agent.key <= *after);
      if (next)
        continue;
      if (body["agents"].size() == limit) {
        body["next_cursor"] = cursor_of(last);
        break;
      }
      body["agents"].push_back(agent_view(load, self->state.settings.node.name, wall(self)));
      last = agent.key;
    }
    reply(self, request, json_response(200, body));
  });
}

void get_agent(api_self self, const call_ptr& request) {
  auto service = request->query.text("service");
  if (refuse_wrong_query(self, request))
    return;
  with_routing(self, request, [=](const routing_status& routing) {
    if (const auto* load = find_agent(self, request, routing, service))
      reply(self, request,
            json_response(200, agent_view(*load, self->state.settings.node.name, wall(self))));
  });
}

void spawn_agent(api_self self, const call_ptr& request) {
  if (refuse_wrong_query(self, request))
    return;
  if (media_type(request->exchange->headers()) != "application/json")
    return refuse(self, request,
                  {"unsupported_media_type", "the body is application/json: {\"role\"}", {}, {}});
  std::vector<problem> problems;
  std::string role;
  auto body = parse_body(request->exchange->body(), {1u << 20, 16}, problems);
  if (!body)
    return refuse(self, request, {"invalid_body", "the body is not JSON", problems, {}});
  object_reader object{*body, "", problems};
  role = object.required_name("role").value_or("");
  object.finish();
  if (!problems.empty())
    return refuse(self, request, {"invalid_body", "the body is not {\"role\"}", problems, {}});
  constexpr millis spawn_timeout{90'000}; // a service may take its time, and has a bound of its own
  self->request(self->state.peers.manager, spawn_timeout, atom::spawn_v, role_name{role})
      .then(
          [self, request](const agent_record& agent) {
            agent_load load; // it has just come: there is nothing that it has done
            load.agent = agent;
            auto response =
                json_response(201, agent_view(load, self->state.settings.node.name, wall(self)));
            response.headers.push_back(
                {"Location", "/v1/agents/" + net::encode_path_segment(agent.key.id.value)});
            reply(self, request, std::move(response));
          },
          refuser(self, request));
}

void drain_agent(api_self self, const call_ptr& request) {
  auto service = request->query.text("service");
  if (refuse_wrong_query(self, request))
    return;
  with_routing(self, request, [=](const routing_status& routing) {
    const auto* load = find_agent(self, request, routing, service);
    if (!load)
      return;
    self->request(self->state.peers.manager, answer_timeout, atom::drain_v, load->agent.key)
        .then(
            [self, request, load = *load](const agent_record& agent) mutable {
              load.agent = agent;
              reply(
                  self, request,
                  json_response(202, agent_view(load, self->state.settings.node.name, wall(self))));
            },
            refuser(self, request));
  });
}

void list_roles(api_self self, const call_ptr& request) {
  if (refuse_wrong_query(self, request))
    return;
  with_routing(self, request, [=](const routing_status& routing) {
    with_fleet(self, request, [=](const fleet_status& fleet) {
      reply(self, request, json_response(200, json{{"roles", roles_view(fleet, routing)}}));
    });
  });
}

void list_nodes(api_self self, const call_ptr& request) {
  if (refuse_wrong_query(self, request))
    return;
  with_fleet(self, request, [=](const fleet_status& fleet) {
    const auto& state = self->state;
    auto reachable = std::any_of(fleet.services.begin(), fleet.services.end(),
                                 [](const auto& service) { return service.reachable; });
    std::uint32_t agents = 0;
    for (const auto& service : fleet.services)
      agents += service.agents;
    json node{{"node", state.settings.node.name},
              {"version", state.settings.version},
              {"state", state.draining ? "draining"
                        : reachable    ? "ready"
                                       : "starting"},
              {"started_at", time_text(state.started_at)},
              {"uptime_ms", (wall(self) - state.started_at).count()},
              {"open_tasks", state.counts.open()},
              {"agents", agents},
              {"services", services_view(fleet)}};
    reply(self, request, json_response(200, json{{"nodes", json::array({std::move(node)})}}));
  });
}

} // namespace rolecall::api
