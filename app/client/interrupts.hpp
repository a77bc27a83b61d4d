#pragma once

#include "app/exit_codes.hpp"

#include <boost/asio/signal_set.hpp>

#include <csignal>
#include <cstdlib>

namespace rolecall::client {

/// Ctrl-C and its relatives, as a question that a loop asks between two steps. Whoever asks twice
/// does not want to wait: the second signal ends the program.
class interrupts {
public:
  explicit interrupts(boost::asio::io_context& context)
      : signals_{context, SIGINT, SIGTERM, SIGHUP} {
    await();
  }

  bool happened() const noexcept { return count_ > 0; }

private:
  void await() {
    signals_.async_wait([this](const boost::system::error_code& error, int) {
      if (error)
        return;
      if (++count_ > 1)
        std::_Exit(exit_codes::interrupted);
      await();
    });
  }

  boost::asio::signal_set signals_;
  int count_{0};
};

} // namespace rolecall::client
