#pragma once

#include "app/agents_service/agent.hpp"
#include "app/agents_service/role.hpp"
#include "app/agents_service/supervisor.hpp"
#include "net/http_server.hpp"

#include <boost/asio/io_context.hpp>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace rolecall::agents {

/// The protocol of an agents service (docs/agents-service.md) over a set of roles: takes requests,
/// spawns and retires agents, gives each task to one. Used on the loop's thread.
class service {
public:
  /// `processes` outlives the service, and the loop runs no more when the service is destroyed.
  service(boost::asio::io_context& context, supervisor& processes, std::vector<role> roles,
          std::size_t max_agents);

  /// Answers one request, now or when its task is done. For `net::http_server`.
  void handle(const std::shared_ptr<net::http_exchange>& exchange);

  /// Answers all that runs with 503, kills all agents, and refuses new requests. `stopped` is
  /// called once no process is left.
  void stop(std::function<void()> stopped);

private:
  using exchange_ptr = std::shared_ptr<net::http_exchange>;
  using segments = std::vector<std::string>;
  using action = void (service::*)(const exchange_ptr&, const segments&);
  struct route {
    const char* method;
    std::vector<const char*> path; ///< "*" stands for any one segment
    action handle;
  };
  static const std::vector<route>& routes();

  void get_health(const exchange_ptr& exchange, const segments& path);
  void get_roles(const exchange_ptr& exchange, const segments& path);
  void get_agents(const exchange_ptr& exchange, const segments& path);
  void spawn(const exchange_ptr& exchange, const segments& path);
  void retire(const exchange_ptr& exchange, const segments& path);
  void execute_on(const exchange_ptr& exchange, const segments& path);
  void execute_anywhere(const exchange_ptr& exchange, const segments& path);
  void cancel(const exchange_ptr& exchange, const segments& path);

  /// Gives a task to an agent that is free, and cancels it if its client goes away.
  void give(const exchange_ptr& exchange, const std::shared_ptr<agent>& to,
            execute_request request);
  std::variant<std::shared_ptr<agent>, answer> spawn_agent(const role& kind);
  const role* find_role(const std::string& name) const;

  boost::asio::io_context& context_;
  supervisor& processes_;
  std::vector<role> roles_;
  std::size_t max_agents_;
  std::map<std::string, std::shared_ptr<agent>> agents_; ///< by id, at most `max_agents_`
  bool stopping_{false};
};

} // namespace rolecall::agents
