#pragma once

#include "actors/cluster/cluster_actor.hpp"
#include "actors/lifecycle_actor.hpp"
#include "app/api/event_readers.hpp"
#include "app/api/gate.hpp"
#include "app/api/metrics.hpp"
#include "app/api/ndjson_intake.hpp"
#include "app/api/request.hpp"
#include "app/api/response.hpp"
#include "app/api/stats.hpp"
#include "app/api/task_waits.hpp"
#include "messages/interfaces.hpp"
#include "net/http_server.hpp"

#include <caf/stateful_actor.hpp>

#include <map>
#include <memory>

namespace rolecall::api {

// What the event loop tells the actor. These never leave the process.
struct http_call {
  std::shared_ptr<net::http_exchange> exchange;
};
struct body_part {
  std::uint64_t operation;
  net::body_piece piece;
};
struct backlog_gone {
  std::uint64_t operation;
};
struct client_gone {
  std::uint64_t operation;
};
struct call;
struct ask_again {
  std::shared_ptr<call> request;
  std::chrono::steady_clock::time_point until;
};

} // namespace rolecall::api

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(rolecall::api::http_call)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(rolecall::api::body_part)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(rolecall::api::backlog_gone)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(rolecall::api::client_gone)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(rolecall::api::ask_again)

namespace rolecall::api {

/// The API answers HTTP requests with what the other actors say, and tells events on.
using api_actor = task_listener_actor::extend_with<agent_listener_actor>::
    extend_with<journal_listener_actor>::extend<
        // A request has come.
        caf::reacts_to<http_call>,
        // INTERNAL: a part of a body that is read piece by piece.
        caf::reacts_to<body_part>,
        // INTERNAL: a client has taken most of what was written for it.
        caf::reacts_to<backlog_gone>,
        // INTERNAL: a client has gone before its answer.
        caf::reacts_to<client_gone>,
        // INTERNAL: a task that another node has is to be looked at again.
        caf::reacts_to<ask_again>,
        // Answered once everything of earlier times is known here.
        caf::replies_to<atom::checked>::with<bool>,
        // From here on tasks are refused; answered once none is left, with the number that there
        // were.
        caf::replies_to<atom::drain>::with<std::uint64_t>,
        // The number of tasks that are not terminal.
        caf::replies_to<atom::status>::with<std::uint64_t>,
        // INTERNAL: a point in time has come at which something may be due.
        caf::reacts_to<atom::wake>>;

/// Whom the API asks.
struct api_peers {
  registry_actor registry;
  router_actor router;
  manager_actor manager;
  tasks_actor tasks;     ///< of the whole cluster, if there is one
  journal_actor journal; ///< null if there is none
  cluster_actor cluster; ///< null if there is none
};

struct api_settings {
  node_options node;
  std::shared_ptr<const shared_tokens> tokens;
  std::size_t max_tasks{0};         ///< that can be under way, for the metrics
  std::size_t max_waited_tasks{0};  ///< that one request may wait for
  millis unix_offset{0};            ///< from the actor's clock to the wall clock's time
  std::uint64_t first_event{1};     ///< number of the first new event about a task
  std::uint64_t forgotten_event{0}; ///< events up to this number cannot all be told again
  std::string version;
};

/// A request on its way through the handlers.
struct call {
  std::shared_ptr<net::http_exchange> exchange;
  std::vector<std::string> path;
  query_reader query;
  std::string route; ///< for the metrics
  time_point started;
};
using call_ptr = std::shared_ptr<call>;

struct api_state {
  static inline const char* name = "api";

  /// A request that waits for tasks to end.
  struct waiting_call {
    call_ptr request;
    std::vector<task_id> tasks;
    unsigned status{200};
    bool one{false};              ///< answered with the task itself, not with a list
    std::vector<task_id> known{}; ///< those that were there before
  };
  /// Tasks that come as a stream.
  struct intake {
    call_ptr request;
    std::shared_ptr<net::response_stream> stream;
    ndjson_intake lines;
    bool ended{false};   ///< the last part of the body has come
    bool waiting{false}; ///< for room among the tasks
  };

  ~api_state();

  api_peers peers;
  api_settings settings;
  std::unique_ptr<gate> access;
  std::unique_ptr<event_log> events;
  std::unique_ptr<event_readers> readers;
  std::unique_ptr<metrics> figures;
  stats counts;
  task_waits waits;
  std::map<std::uint64_t, waiting_call> waiting_calls;
  std::map<std::uint64_t, std::unique_ptr<intake>> intakes;
  std::uint64_t next_operation{1};
  std::size_t submits{0}; ///< that the coordinator has not answered
  bool draining{false};
  caf::typed_response_promise<std::uint64_t> drain_promise;
  std::uint64_t drained_tasks{0};
  unix_time started_at{0};
  std::string journal_trouble; ///< why the journal cannot be written to; empty if it can
  bool checked{false};         ///< everything of earlier times is known
  std::vector<caf::typed_response_promise<bool>> checked_promises;
  wake_up timer;
  time_point next_keep_alive{};
  time_point next_figures{}; ///< of this node, for the others of a cluster
};

using api_self = api_actor::stateful_pointer<api_state>;

/// Subscribes to the coordinator by itself and, once it knows what that one knows, to the registry.
api_actor::behavior_type api(api_self self, api_peers peers, api_settings settings);

} // namespace rolecall::api
