#pragma once

#include "app/config.hpp"
#include "messages/interfaces.hpp"
#include "net/event_loop.hpp"
#include "net/pooled_http_client.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>

#include <memory>

namespace rolecall {

/// The composition: one event loop, one HTTP client, and the actors, in the order in which they
/// need each other. The destructor ends them in the reverse order; it first gives the manager
/// `retire_patience` to retire the agents that it has spawned.
class node {
public:
  static constexpr millis retire_patience{3'000};

  explicit node(const config& settings);
  ~node();
  node(const node&) = delete;
  node& operator=(const node&) = delete;

  caf::actor_system& system() noexcept { return *system_; }
  net::event_loop& loop() noexcept { return loop_; }

  const std::shared_ptr<net::pooled_http_client>& client() const noexcept { return client_; }
  const registry_actor& registry() const noexcept { return registry_; }
  const router_actor& router() const noexcept { return router_; }
  const manager_actor& manager() const noexcept { return manager_; }
  const coordinator_actor& coordinator() const noexcept { return coordinator_; }

private:
  struct system_config : caf::actor_system_config {
    system_config();
  };

  net::event_loop loop_;
  std::shared_ptr<net::pooled_http_client> client_;
  system_config system_config_;
  std::unique_ptr<caf::actor_system> system_;
  registry_actor registry_;
  router_actor router_;
  manager_actor manager_;
  pool_actor pool_;
  coordinator_actor coordinator_;
};

} // namespace rolecall
