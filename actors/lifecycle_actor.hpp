#pragma once

#include <caf/scheduled_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <chrono>
#include <optional>

/// What every actor of ours does alike.
namespace rolecall {

/// The actor's clock: real time in a node, the test's own in a test.
using time_point = std::chrono::steady_clock::time_point;

template <class Self>
time_point now(Self* self) {
  return self->clock().now();
}

/// Messages that nobody expects are errors to their sender, not lines on the terminal. Down and
/// error messages that an actor has no handler for are ignored: what it depends on it monitors.
template <class Self>
void set_quiet_handlers(Self* self) {
  self->set_default_handler(caf::drop);
  self->set_error_handler([](caf::scheduled_actor*, caf::error&) {});
  self->set_down_handler([](caf::scheduled_actor*, caf::down_msg&) {});
}

/// Keeps at most one wake-up message under way to the actor itself: the earliest that was asked
/// for.
class wake_up {
public:
  /// Has `atom::wake` sent to `self` at `due`, unless one comes earlier anyway.
  template <class Self, class Wake>
  void arm(Self* self, std::optional<time_point> due, Wake wake) {
    if (!due || (armed_ && *armed_ <= *due))
      return;
    armed_ = due;
    auto delay = std::max(*due - now(self), time_point::duration::zero());
    self->delayed_send(self, delay, wake);
  }

  /// To be called when `atom::wake` has come.
  void fired(time_point at) {
    if (armed_ && *armed_ <= at)
      armed_.reset();
  }

private:
  std::optional<time_point> armed_;
};

} // namespace rolecall
