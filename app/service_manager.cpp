#include "app/service_manager.hpp"

#include <systemd/sd-daemon.h>

namespace rolecall {

void service_manager::ready(const std::string& status) const {
  sd_notify(0, ("READY=1\nSTATUS=listening on " + status).c_str());
}

void service_manager::stopping(std::chrono::milliseconds limit) const {
  std::chrono::microseconds more = limit + std::chrono::seconds{10};
  sd_notify(
      0,
      ("STOPPING=1\nSTATUS=draining\nEXTEND_TIMEOUT_USEC=" + std::to_string(more.count())).c_str());
}

void service_manager::alive() const {
  sd_notify(0, "WATCHDOG=1");
}

std::optional<std::chrono::milliseconds> service_manager::watchdog_interval() const {
  std::uint64_t limit_us = 0;
  if (sd_watchdog_enabled(0, &limit_us) <= 0)
    return std::nullopt;
  return std::chrono::milliseconds{limit_us / 2'000};
}

} // namespace rolecall
