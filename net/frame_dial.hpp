#pragma once

#include "net/frame_stream.hpp"
#include "net/link_tls.hpp"

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace rolecall::net {

struct frame_dial_options {
  std::string host{}; ///< a name or an address
  std::uint16_t port{0};
  std::optional<link_tls> tls{}; ///< none: plain. The files are read for each dial
  frame_options frames{};
  std::chrono::milliseconds timeout{5'000}; ///< look-up, TCP and TLS together
};

/// One attempt to make a connection that carries frames: looks the host up, connects, and shakes
/// hands.
class frame_dial {
public:
  /// Gets the stream, which it starts or drops; or null and the reason in plain words, with the
  /// address: "cannot connect to b:7481: Connection refused".
  using handler = std::function<void(std::shared_ptr<frame_stream>, std::string reason)>;

  /// `done` is called once, on the thread that runs `context`, and may destroy the dial. `context`
  /// outlives the dial and its stream.
  frame_dial(boost::asio::io_context& context, frame_dial_options options, handler done);
  /// Gives up if it is not done; after it `done` is not called. Waits for the loop's thread, unless
  /// it is that thread or the loop has been stopped (and its thread joined).
  ~frame_dial();
  frame_dial(const frame_dial&) = delete;
  frame_dial& operator=(const frame_dial&) = delete;

private:
  class impl;
  std::shared_ptr<impl> impl_;
};

} // namespace rolecall::net
