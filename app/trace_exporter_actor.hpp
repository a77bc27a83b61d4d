#pragma once

#include "actors/lifecycle_actor.hpp"
#include "app/trace_spans.hpp"
#include "messages/interfaces.hpp"
#include "net/http_client.hpp"

#include <caf/stateful_actor.hpp>

#include <memory>

namespace rolecall {

/// An export has been answered, or not.
struct export_ended {
  std::string problem; ///< empty: the collector took it
};

} // namespace rolecall

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(rolecall::export_ended)

namespace rolecall {

/// The EXPORTER sends the spans of tasks to a collector, in batches. What the collector does not
/// take is dropped: traces are for looking, and no task waits for them.
using trace_exporter_actor = task_listener_actor::extend<
    // INTERNAL: an export has ended.
    caf::reacts_to<export_ended>,
    // INTERNAL: it is time for the next one.
    caf::reacts_to<atom::wake>>;

struct trace_exporter_options {
  std::string url; ///< of the collector; exports go to URL/v1/traces
  std::string node;
  std::string version;
  std::size_t max_spans{8'192}; ///< that wait; past it they are dropped
  std::size_t max_batch{1'024};
  millis interval{1'000}; ///< between two exports
  millis timeout{10'000}; ///< of one
};

struct trace_exporter_state {
  static inline const char* name = "trace_exporter";

  trace_exporter_options options;
  std::shared_ptr<net::http_client> client;
  std::vector<nlohmann::ordered_json> spans;
  std::uint64_t dropped{0}; ///< since the last word on it
  bool exporting{false};
  bool failing{false}; ///< the last export; told when it changes
};

/// Subscribes to the coordinator by itself.
trace_exporter_actor::behavior_type
trace_exporter(trace_exporter_actor::stateful_pointer<trace_exporter_state> self,
               coordinator_actor coordinator, std::shared_ptr<net::http_client> client,
               trace_exporter_options options);

} // namespace rolecall
