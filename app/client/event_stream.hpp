#pragma once

#include "app/client/event_parser.hpp"
#include "app/client/node_client.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace rolecall::client {

/// A node's events, followed over losses of the connection: it connects anew with exponential
/// backoff and full jitter, and with the id of the last event, so that none is lost and none comes
/// twice. Lives on the thread and the loop of its `node_client`, which outlives it.
class event_stream {
public:
  struct handlers {
    /// An event that is not `hello`. `gap` says that events are missing.
    std::function<void(const server_event&)> event;
    /// The node has said hello: from now on nothing is missed. Told at each connection.
    std::function<void()> connected;
    /// Nobody answers any more, and why. Told once an outage.
    std::function<void(const std::string&)> lost;
  };

  /// Connects at once. `path` is "/v1/events" with its query. A refusal ends the stream (see
  /// `failure`), and so does, unless it is `patient`, a first connection that does not succeed.
  event_stream(node_client& node, std::string path, bool patient, handlers tell);
  ~event_stream();
  event_stream(const event_stream&) = delete;
  event_stream& operator=(const event_stream&) = delete;

  /// Why the stream has ended for good, if it has.
  const std::optional<client_error>& failure() const noexcept;

private:
  class impl;
  std::shared_ptr<impl> impl_;
};

} // namespace rolecall::client
