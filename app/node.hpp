#pragma once

#include "actors/cluster/cluster_actor.hpp"
#include "actors/journal/journal_store.hpp"
#include "app/config.hpp"
#include "messages/interfaces.hpp"
#include "net/event_loop.hpp"
#include "net/frame_listener.hpp"
#include "net/pooled_http_client.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>

#include <deque>
#include <memory>

namespace rolecall {

/// A journal, and what it has kept of earlier times.
struct opened_journal {
  std::shared_ptr<journal_store> store; ///< null: there is none
  std::shared_ptr<journal_content> content;
};

/// The composition: event loops, one HTTP client, and the actors, in the order in which they need
/// each other; the pool with its workers and the client are on the loop of agents, the other actors
/// on the first. The destructor ends them in the reverse order; it first gives the manager
/// `retire_patience` to retire the agents that it has spawned.
class node {
public:
  static constexpr millis retire_patience{3'000};

  /// Goes on with what a journal has kept, if there is one. Throws as `net::frame_listener` does.
  explicit node(const config& settings, opened_journal journal = {});
  ~node();
  node(const node&) = delete;
  node& operator=(const node&) = delete;

  caf::actor_system& system() noexcept { return *system_; }
  net::event_loop& loop() noexcept { return loops_.front(); }
  /// Those of callers: all but the first, if there are others. At least one.
  std::vector<net::event_loop*> callers_loops();
  /// The one on which agents are called: the second, if there is one.
  net::event_loop& agents_loop() noexcept { return loops_.size() > 1 ? loops_[1] : loops_[0]; }

  const std::shared_ptr<net::pooled_http_client>& client() const noexcept { return client_; }
  /// From the actors' clock to the wall clock's time.
  millis unix_offset() const noexcept { return unix_offset_; }
  /// Number of the first new event about a task.
  std::uint64_t first_event() const noexcept { return first_event_; }
  const registry_actor& registry() const noexcept { return registry_; }
  const router_actor& router() const noexcept { return router_; }
  const manager_actor& manager() const noexcept { return manager_; }
  const journal_actor& journal() const noexcept { return journal_; } ///< null if there is none
  const coordinator_actor& coordinator() const noexcept { return coordinator_; }
  const cluster_actor& cluster() const noexcept { return cluster_; } ///< null if there is none
  /// Those of the whole cluster, or else the coordinator's.
  const tasks_actor& tasks() const noexcept { return tasks_; }

private:
  void join_cluster(const config& settings, const node_name& name);

  struct system_config : caf::actor_system_config {
    explicit system_config(std::deque<net::event_loop>& loops);
  };

  const millis unix_offset_;
  const std::uint64_t first_event_;
  std::deque<net::event_loop> loops_;
  std::shared_ptr<net::pooled_http_client> client_;
  system_config system_config_;
  std::unique_ptr<caf::actor_system> system_;
  registry_actor registry_;
  router_actor router_;
  manager_actor manager_;
  pool_actor pool_;
  checker_actor checker_; // null if no role has a health check
  journal_actor journal_; // null if there is none
  cluster_actor cluster_; // null if there is none, as is its listener
  std::vector<std::unique_ptr<net::frame_listener>> cluster_listeners_; // all on the same port
  coordinator_actor coordinator_;
  tasks_actor tasks_;
};

} // namespace rolecall
