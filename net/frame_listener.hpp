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

struct frame_listener_options {
  std::string address{"127.0.0.1"};
  std::uint16_t port{0};         ///< 0: any free one
  std::optional<link_tls> tls{}; ///< none: plain
  frame_options frames{};
  std::chrono::milliseconds handshake_timeout{5'000};
  std::size_t max_handshakes{128}; ///< that are under way; past it, connections are refused
};

/// Accepts connections that carry frames. What comes of a plain one, silence too, is for its user
/// to look after.
class frame_listener {
public:
  using stream_handler = std::function<void(std::shared_ptr<frame_stream>)>;
  /// Gets the peer's address, and in plain words why it was refused: "it has no certificate".
  using refusal_handler = std::function<void(std::string remote, std::string reason)>;

  /// `context` is run by one thread, and outlives the listener and its streams. Both handlers are
  /// called on its thread; `on_stream` starts the stream, or drops it. Throws
  /// `boost::system::system_error` that names the address if it cannot be listened on, and
  /// `std::runtime_error` that names the file if one of TLS cannot be used. The files are read
  /// again for each connection, and it is refused if they have become unusable.
  frame_listener(boost::asio::io_context& context, frame_listener_options options,
                 stream_handler on_stream, refusal_handler on_refused);
  /// Stops accepting, and drops handshakes that are under way; after it neither handler is called.
  /// Waits for the loop's thread, unless it is that thread or the loop has been stopped (and its
  /// thread joined).
  ~frame_listener();
  frame_listener(const frame_listener&) = delete;
  frame_listener& operator=(const frame_listener&) = delete;

  /// The port that is really listened on.
  std::uint16_t port() const noexcept;

private:
  class impl;
  std::shared_ptr<impl> impl_;
};

} // namespace rolecall::net
