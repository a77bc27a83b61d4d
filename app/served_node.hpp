#pragma once

#include "app/api/api_actor.hpp"
#include "app/node.hpp"
#include "app/tokens.hpp"
#include "app/trace_exporter_actor.hpp"
#include "net/http_server.hpp"

#include <memory>
#include <string>
#include <vector>

namespace rolecall {

/// A node with its HTTP API: the actors, the API actor that asks them, and the servers that
/// requests come through.
class served_node {
public:
  /// Listens. Throws as `net::http_server` does.
  served_node(const config& settings, token_set tokens, opened_journal journal);
  /// Stops listening, lets answers that are on their way go out for a moment, and ends the actors.
  ~served_node();
  served_node(const served_node&) = delete;
  served_node& operator=(const served_node&) = delete;

  caf::actor_system& system() noexcept { return node_.system(); }
  net::event_loop& loop() noexcept { return node_.loop(); }
  const router_actor& router() const noexcept { return node_.router(); }
  const coordinator_actor& coordinator() const noexcept { return node_.coordinator(); }
  const api::api_actor& api() const noexcept { return api_; }
  const cluster_actor& cluster() const noexcept { return node_.cluster(); } ///< or null

  /// Where it is reached.
  std::string url() const;
  void change_tokens(token_set tokens);

private:
  void listen(const api_options& options);
  void end_actors();

  std::shared_ptr<shared_tokens> tokens_;
  node node_;
  api::api_actor api_;
  trace_exporter_actor exporter_; ///< null if traces go nowhere
  std::string host_;
  bool encrypted_{false};
  std::vector<std::unique_ptr<net::http_server>> servers_; // all on the same port
};

} // namespace rolecall
