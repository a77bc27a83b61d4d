#pragma once

#include "messages/basics.hpp"

#include <chrono>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>

namespace rolecall {

/// An attempt that nobody waits for any more, and the service to be told of it.
struct cancel_notice {
  std::string service_url;
  agent_id agent;
  task_id task;
  std::uint32_t attempt{0};
};

struct cancel_options {
  /// Requests at the same time, per service: few, so that a thousand cancellations leave the
  /// connections to those who execute.
  std::size_t max_in_flight{8};
  std::size_t max_waiting{10'000}; ///< per service; past it the oldest is dropped
  millis patience{5'000}; ///< what waits longer is dropped: the service has noticed, or won't
  millis timeout{2'000};  ///< of one request
};

/// The canceler's core: which service is told of which cancellation, and when. A service that does
/// not know the request is not asked again. Empties as requests end; a line that has nobody in
/// flight has nobody waiting.
class cancel_line {
public:
  using time_point = std::chrono::steady_clock::time_point;

  explicit cancel_line(cancel_options options = {}) : options_{options} {}

  void add(const cancel_notice& notice, time_point now);
  /// The next one to be sent to that service; none if nobody waits or enough are in flight.
  std::optional<cancel_notice> next(const std::string& service_url, time_point now);
  /// A request has been answered, with 0 if it was not.
  void ended(const std::string& service_url, unsigned status);

  bool idle() const noexcept { return lines_.empty(); }
  const cancel_options& options() const noexcept { return options_; }

private:
  struct waiting {
    cancel_notice notice;
    time_point expires;
  };
  struct line {
    std::deque<waiting> queue;
    std::size_t in_flight{0};
  };

  cancel_options options_;
  std::map<std::string, line> lines_;    // by service; none without work
  std::set<std::string> without_cancel_; // services that do not know the request
};

} // namespace rolecall
