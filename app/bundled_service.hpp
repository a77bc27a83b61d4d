#pragma once

#include "messages/values.hpp"

#include <filesystem>
#include <string>

#include <sys/types.h>

namespace rolecall {

/// The bundled agents service (`rolecall agents`) as a child process on a free loopback port. It
/// ends with this object, and with this process however that ends.
class bundled_service {
public:
  /// Starts it with the roles of a file and waits until it listens. Throws `std::runtime_error`
  /// with the reason if it does not; what is wrong with its roles file it has told on stderr.
  explicit bundled_service(const std::filesystem::path& roles);
  ~bundled_service();
  bundled_service(const bundled_service&) = delete;
  bundled_service& operator=(const bundled_service&) = delete;

  const std::string& url() const noexcept { return url_; }
  pid_t pid() const noexcept { return pid_; }

private:
  void read_url(int from);
  void end();

  pid_t pid_{-1};
  std::string url_;
};

} // namespace rolecall
