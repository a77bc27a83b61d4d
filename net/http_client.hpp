#pragma once

#include "net/http.hpp"

#include <cstdint>
#include <functional>

namespace rolecall::net {

/// What actors know of HTTP: a call starts, and ends exactly once. No socket shows.
class http_client {
public:
  using call_id = std::uint64_t;
  using handler = std::function<void(http_result)>;

  virtual ~http_client() = default;

  /// Starts a call and returns at once. `done` is called exactly once, on the event loop's thread,
  /// never from inside `start`: it must not block and must hold no actor's state. May be called
  /// from any thread. Redirects are not followed: a 302 is a response like any other.
  virtual call_id start(http_request request, handler done) = 0;

  /// Ends a call early: its socket is closed, `done` gets `http_errc::canceled`. A call that has
  /// ended already is left alone. May be called from any thread.
  virtual void cancel(call_id id) = 0;
};

} // namespace rolecall::net
