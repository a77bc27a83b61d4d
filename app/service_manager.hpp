#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace rolecall {

/// What systemd is told, if it runs us (sd_notify(3)); otherwise nothing happens.
class service_manager {
public:
  void ready(const std::string& status) const;
  /// The end has begun, and takes at most so long.
  void stopping(std::chrono::milliseconds limit) const;
  void alive() const;

  /// How often it wants to hear that we are alive, with a margin; none if it does not.
  std::optional<std::chrono::milliseconds> watchdog_interval() const;
};

} // namespace rolecall
