#include "app/client/fleet_commands.hpp"

#include "app/client/fleet_text.hpp"
#include "app/client/task_json.hpp"

namespace rolecall::client {

namespace {

constexpr auto no_options = [](CLI::App&, command_options&) {};

/// A command that shows one list of the node.
template <class Rows>
auto showing(const char* key, Rows rows) {
  return [key, rows](node_client& node, const command_options& options) {
    auto path = std::string{"/v1/"} + key;
    auto answer = node.get(path);
    const auto& list = array_in(answer, key, "GET " + path, node);
    if (options.json)
      print_json(answer);
    else
      print(rows(list));
    return exit_codes::ok;
  };
}

int show_stats(node_client& node, const command_options& options) {
  auto stats = node.get("/v1/stats");
  if (options.json)
    print_json(stats);
  else
    print(stats_rows(stats));
  return exit_codes::ok;
}

int show_agent(const json& agent, bool as_json) {
  if (as_json)
    print_json(agent);
  else
    print(agent_rows(json::array({agent})));
  return exit_codes::ok;
}

int list_agents(node_client& node, const agents_query& query) {
  json all = json::array();
  std::string cursor;
  do {
    auto answer = node.get(
        "/v1/agents" +
        query_of(
            {{"limit", "1000"}, {"role", query.role}, {"state", query.state}, {"cursor", cursor}}));
    const auto& page = array_in(answer, "agents", "GET /v1/agents", node);
    all.insert(all.end(), page.begin(), page.end());
    auto next = text(answer, "next_cursor");
    cursor = page.empty() || next == cursor ? "" : next;
  } while (!cursor.empty());
  if (query.json)
    print_json({{"agents", all}});
  else
    print(agent_rows(all));
  return exit_codes::ok;
}

int ask_about_agents(node_client& node, const agents_query& query) {
  if (!query.spawn.empty())
    return show_agent(node.post_json("/v1/agents", json{{"role", query.spawn}}.dump()), query.json);
  if (!query.drain.empty())
    return show_agent(node.remove("/v1/agents/" + net::encode_path_segment(query.drain)),
                      query.json);
  return list_agents(node, query);
}

} // namespace

void add_fleet_commands(CLI::App& app, std::function<int()>& run) {
  add_command<command_options>(app, run, "roles", "Lists the roles, and what waits and runs",
                               no_options, showing("roles", role_rows));
  add_command<command_options>(app, run, "nodes", "Lists the nodes and their agents services",
                               no_options, showing("nodes", node_rows));
  add_command<command_options>(app, run, "stats", "Shows a node's figures", no_options, show_stats);
}

std::vector<CLI::Option*> add_agents_query(CLI::App& command, agents_query& query) {
  const char* group = "Options to list the agents of a node";
  add_common_options(command, query);
  auto* role = command.add_option("--role", query.role, "Only agents of this role");
  auto* state = command.add_option("--state", query.state, "Only agents in this state")
                    ->check(CLI::IsMember({"ready", "draining", "unhealthy"}));
  auto* spawn = command.add_option("--spawn", query.spawn, "Has an agent spawned for this role");
  auto* drain =
      command.add_option("--drain", query.drain, "Lets this agent finish what it has, and end");
  role->type_name("ROLE");
  state->type_name("STATE");
  spawn->type_name("ROLE")->excludes(role)->excludes(state)->excludes(drain);
  drain->type_name("ID")->excludes(role)->excludes(state);
  std::vector<CLI::Option*> options{role, state, spawn, drain};
  for (const auto* name : {"--json", "--node", "--token-file", "--ca"})
    options.push_back(command.get_option(name));
  for (auto* option : options)
    option->group(group);
  return options;
}

int run_agents_query(const agents_query& query) {
  return run_against_node("agents", query,
                          [&](node_client& node) { return ask_about_agents(node, query); });
}

} // namespace rolecall::client
