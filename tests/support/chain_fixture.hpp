#pragma once

#include "tests/support/actor_fixture.hpp"
#include "tests/support/fake_service.hpp"

namespace rolecall::tests {

/// All actors of a node, wired as in the program, above a fake service. Executions wait in
/// `client` until the test answers them.
struct chain_fixture : actor_fixture {
  /// With a journal, `tasks.durable` is set, and the test is the journal.
  explicit chain_fixture(fleet_options fleet = {}, coordinator_options tasks = {},
                         std::shared_ptr<journal_content> kept = nullptr) {
    client->script = [this](const net::http_request& request) { return service(request); };
    fleet.services = {{service_name{"local"}, "http://service"}};
    reg = keep(system.spawn(registry, registry_options{}));
    rt = keep(system.spawn(router, reg, router_options{}));
    mgr = keep(system.spawn(manager, reg, rt, client, manager_options{fleet, {}}));
    pl = keep(system.spawn(pool, client, pool_options{}));
    auto journal = tasks.durable ? me<journal_actor>() : journal_actor{};
    coord = keep(system.spawn(coordinator, coordinator_peers{rt, pl, journal}, tasks, kept));
    run();
  }

  ~chain_fixture() { end_all(); } // while there is a service to be asked

  void submit(std::vector<task_spec> tasks) {
    ask<submit_result>(coord, atom::submit_v, std::move(tasks));
  }
  task_record task(const std::string& id) {
    return ask<task_record>(coord, atom::get_v, task_id{id});
  }
  fleet_status fleet() { return ask<fleet_status>(mgr, atom::checked_v); }
  std::vector<agent_record> agents() { return ask<std::vector<agent_record>>(reg, atom::list_v); }

  /// Answers the oldest execution that waits on an agent (or on any).
  bool execute(const std::string& agent = "", unsigned status = 200,
               std::string body = R"({"status":"completed","output":"done"})",
               net::headers headers = {}) {
    run();
    auto done = client->answer("/agents/" + agent + (agent.empty() ? "" : "/execute"), status,
                               std::move(body), std::move(headers));
    run();
    return done;
  }
  bool lose(net::http_errc code) {
    run();
    auto done = client->answer("/execute", net::http_failure{code, "lost"});
    run();
    return done;
  }
  std::size_t executing() {
    run();
    return client->waiting("/execute");
  }

  std::shared_ptr<scripted_client> client = std::make_shared<scripted_client>();
  fake_service service;
  registry_actor reg;
  router_actor rt;
  manager_actor mgr;
  pool_actor pl;
  coordinator_actor coord;
};

} // namespace rolecall::tests
