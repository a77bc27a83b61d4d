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

/// Adds what the manager of another node says of its roles.
void add(fleet_status& sum, const fleet_status& other) {
  auto entry_for = [](auto& all, const auto& one) {
    return std::find_if(all.begin(), all.end(),
                        [&](const auto& each) { return each.role == one.role; });
  };
  for (const auto& offer : other.roles.offers) {
    auto known = entry_for(sum.roles.offers, offer);
    if (known == sum.roles.offers.end()) {
      sum.roles.offers.push_back(offer);
      continue;
    }
    known->min_agents += offer.min_agents;
    known->max_agents += offer.max_agents;
    known->skills.insert(offer.skills.begin(), offer.skills.end());
  }
  for (const auto& state : other.role_states) {
    auto known = entry_for(sum.role_states, state);
    if (known == sum.role_states.end()) {
      sum.role_states.push_back(state);
      continue;
    }
    known->ready += state.ready;
    known->draining += state.draining;
    known->starting += state.starting;
    known->desired += state.desired;
    known->panic = known->panic || state.panic;
    known->spawn_failures += state.spawn_failures;
    known->spawn_backoff = std::max(known->spawn_backoff, state.spawn_backoff);
    if (known->trouble.code.empty())
      known->trouble = state.trouble;
  }
}

/// Asks all other nodes the same, and goes on once each has said something.
void ask_others(api_self self, const call_ptr& request, const node_question& question,
                const std::function<void(const std::vector<node_reply>&)>& next) {
  self->request(self->state.peers.cluster, answer_timeout, atom::list_v)
      .then(
          [=](const peer_nodes& nodes) {
            auto come = std::make_shared<std::vector<node_reply>>();
            const auto& linked = nodes.linked;
            if (linked.empty())
              return next(*come);
            for (const auto& node : linked)
              ask_node(self, node, question, [come, next, all = linked.size()](const auto& said) {
                come->push_back(said);
                if (come->size() == all)
                  next(*come);
              });
          },
          refuser(self, request));
}

/// The fleet of this node, with the roles of all nodes that answer.
template <class Next>
void with_all_fleets(api_self self, const call_ptr& request, Next next) {
  with_fleet(self, request, [=](const fleet_status& own) {
    if (!self->state.peers.cluster)
      return next(own);
    ask_others(self, request, fleet_wanted{}, [=](const std::vector<node_reply>& said) {
      auto sum = own;
      for (const auto& reply : said)
        if (const auto* fleet = std::get_if<fleet_status>(&reply))
          add(sum, *fleet);
      next(sum);
    });
  });
}

void answer_spawned(api_self self, const call_ptr& request, const agent_record& agent) {
  agent_load load; // it has just come: there is nothing that it has done
  load.agent = agent;
  auto response = json_response(201, agent_view(load, wall(self)));
  response.headers.push_back(
      {"Location", "/v1/agents/" + net::encode_path_segment(agent.key.id.str())});
  reply(self, request, std::move(response));
}

/// No service of this node offers the role: the first node that has an agent for it gives one.
void spawn_elsewhere(api_self self, const call_ptr& request, const role_name& role, failure why,
                     std::vector<node_name> nodes) {
  if (nodes.empty())
    return refuse(self, request, to_problem(why));
  auto node = nodes.back();
  nodes.pop_back();
  ask_node(self, node, rolecall::spawn_agent{role},
           [=, nodes = std::move(nodes)](const node_reply& said) {
             if (const auto* agent = std::get_if<agent_record>(&said))
               return answer_spawned(self, request, *agent);
             const auto* refused = std::get_if<failure>(&said);
             auto unknown = !refused || refused->kind == ec::unknown_role;
             spawn_elsewhere(self, request, role, unknown ? why : *refused, nodes);
           });
}

/// Where an agent is, as far as a query says.
struct place {
  std::optional<std::string> service;
  std::optional<std::string> node;

  explicit place(query_reader& query) : service{query.text("service")}, node{query.text("node")} {}

  bool is_of(const agent_key& key) const {
    return (!service || key.service.str() == *service) && (!node || key.node.str() == *node);
  }
};

/// The agent that the path and the query name; refuses and gives null if there is none, or if there
/// are several.
const agent_load* find_agent(api_self self, const call_ptr& request, const routing_status& routing,
                             const place& where) {
  const agent_load* found = nullptr;
  for (const auto& each : routing.agents) {
    if (each.agent.key.id.str() != request->path[2] || !where.is_of(each.agent.key))
      continue;
    if (found) {
      refuse(self, request,
             {"ambiguous_agent",
              "several services have an agent \"" + request->path[2] +
                  "\"; say which with ?service=, and ?node= in a cluster",
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
                (where.service ? " of the service \"" + *where.service + "\"" : "") +
                (where.node ? " of the node \"" + *where.node + "\"" : ""),
            {},
            {}});
  return found;
}

/// A page of agents ends with this one. Escaped, so that slashes stand between the three.
std::string cursor_of(const agent_key& key) {
  return net::encode_path_segment(key.service.str()) + "/" +
         net::encode_path_segment(key.id.str()) + "/" + net::encode_path_segment(key.node.str());
}

std::optional<agent_key> read_cursor(query_reader& query) {
  auto text = query.text("cursor");
  if (!text)
    return std::nullopt;
  std::vector<std::string> parts;
  for (const auto& part : split(*text, '/'))
    if (auto decoded = net::decode_path_segment(part))
      parts.push_back(std::move(*decoded));
  if (parts.size() == 3)
    return agent_key{service_name{parts[0]}, agent_id{parts[1]}, node_name{parts[2]}};
  query.complain("cursor", "is not one that this node gave");
  return std::nullopt;
}

bool is_elsewhere(api_self self, const node_name& node) {
  return self->state.peers.cluster && node.str() != self->state.settings.node.name;
}

void refuse_reply(api_self self, const call_ptr& request, const node_reply& said) {
  const auto* why = std::get_if<failure>(&said);
  refuse(self, request,
         to_problem(why ? *why : failure{ec::protocol_error, "the node said something else"}));
}

} // namespace

void list_agents(api_self self, const call_ptr& request) {
  auto& query = request->query;
  auto role = query.text("role");
  place where{query};
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
      auto next = (role && agent.role.str() != *role) || !where.is_of(agent.key) ||
                  (state && to_string(agent.state) != *state) || (after && agent.key <= *after);
      if (next)
        continue;
      if (body["agents"].size() == limit) {
        body["next_cursor"] = cursor_of(last);
        break;
      }
      body["agents"].push_back(agent_view(load, wall(self)));
      last = agent.key;
    }
    reply(self, request, json_response(200, body));
  });
}

void get_agent(api_self self, const call_ptr& request) {
  place where{request->query};
  if (refuse_wrong_query(self, request))
    return;
  with_routing(self, request, [=](const routing_status& routing) {
    if (const auto* load = find_agent(self, request, routing, where))
      reply(self, request, json_response(200, agent_view(*load, wall(self))));
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
      .then([self, request](const agent_record& agent) { answer_spawned(self, request, agent); },
            [self, request, role](caf::error& error) {
              if (!self->state.peers.cluster || error != ec::unknown_role)
                return refuse(self, request, to_problem(error));
              auto why = to_failure(error);
              self->request(self->state.peers.cluster, answer_timeout, atom::list_v)
                  .then(
                      [=](const peer_nodes& nodes) {
                        spawn_elsewhere(self, request, role_name{role}, why, nodes.linked);
                      },
                      refuser(self, request));
            });
}

void drain_agent(api_self self, const call_ptr& request) {
  place where{request->query};
  if (refuse_wrong_query(self, request))
    return;
  with_routing(self, request, [=](const routing_status& routing) {
    const auto* load = find_agent(self, request, routing, where);
    if (!load)
      return;
    auto answer = [self, request, load = *load](const agent_record& agent) mutable {
      load.agent = agent;
      reply(self, request, json_response(202, agent_view(load, wall(self))));
    };
    const auto& key = load->agent.key;
    if (is_elsewhere(self, key.node))
      return ask_node(self, key.node, rolecall::drain_agent{key},
                      [self, request, answer](const node_reply& said) mutable {
                        if (const auto* agent = std::get_if<agent_record>(&said))
                          answer(*agent);
                        else
                          refuse_reply(self, request, said);
                      });
    self->request(self->state.peers.manager, answer_timeout, atom::drain_v, key)
        .then(answer, refuser(self, request));
  });
}

void list_roles(api_self self, const call_ptr& request) {
  if (refuse_wrong_query(self, request))
    return;
  with_routing(self, request, [=](const routing_status& routing) {
    with_all_fleets(self, request, [=](const fleet_status& fleet) {
      reply(self, request, json_response(200, json{{"roles", roles_view(fleet, routing)}}));
    });
  });
}

std::string node_state(const api_state& state, const fleet_status& fleet) {
  if (state.draining)
    return "draining";
  auto reachable = std::any_of(fleet.services.begin(), fleet.services.end(),
                               [](const auto& service) { return service.reachable; });
  return reachable || fleet.services.empty() ? "ready" : "starting";
}

void list_nodes(api_self self, const call_ptr& request) {
  if (refuse_wrong_query(self, request))
    return;
  with_fleet(self, request, [=](const fleet_status& fleet) {
    const auto& state = self->state;
    node_figures own{node_state(state, fleet), state.started_at, state.counts.open(),
                     fleet.services};
    json nodes{node_view(state.settings.node.name, state.settings.version, own, wall(self))};
    if (!state.peers.cluster)
      return reply(self, request, json_response(200, json{{"nodes", std::move(nodes)}}));
    self->request(state.peers.cluster, answer_timeout, atom::status_v)
        .then(
            [self, request, nodes](const cluster_status& cluster) mutable {
              for (const auto& link : cluster.links)
                nodes.push_back(link_view(link, wall(self)));
              reply(self, request,
                    json_response(200, json{{"cluster", cluster.cluster},
                                            {"address", text_or_null(cluster.address)},
                                            {"nodes", std::move(nodes)}}));
            },
            refuser(self, request));
  });
}

} // namespace rolecall::api
