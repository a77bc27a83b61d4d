#pragma once

#include "net/frame_stream.hpp"
#include "net/link_tls.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <array>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace rolecall::net {

/// From a connected socket to a stream of frames: over TLS after a handshake, else at once.
///
/// Used on the loop's thread only.
class frame_handshake : public std::enable_shared_from_this<frame_handshake> {
public:
  using tcp = boost::asio::ip::tcp;
  using side_type = boost::asio::ssl::stream_base::handshake_type;
  /// Gets the stream, or null and what is wrong with the peer, or with our own certificate files.
  using handler = std::function<void(std::shared_ptr<frame_stream>, std::string reason)>;

  frame_handshake(tcp::socket socket, side_type side, const frame_options& options);

  /// `done` is called once, not from inside `start` and at `deadline` at the latest, unless
  /// `cancel` comes first. Without `tls` the stream is plain.
  void start(const std::optional<link_tls>& tls, std::chrono::steady_clock::time_point deadline,
             handler done);

  /// Closes the socket. `done` is not called any more.
  void cancel();

private:
  void encrypt(const link_tls& tls, std::chrono::steady_clock::time_point deadline);
  void await(std::chrono::steady_clock::time_point deadline);
  void on_handshake(boost::system::error_code error);
  void throw_away_input();
  void post_finish(std::string reason);
  void finish(std::string reason);

  const side_type side_;
  const frame_options options_;
  tcp::socket tcp_; ///< until it becomes part of the next
  std::unique_ptr<peer_socket> socket_;
  boost::asio::steady_timer timer_;
  std::string failure_;            ///< why the handshake failed; none: it has not
  std::array<char, 4096> input_{}; ///< that is thrown away
  handler done_;                   ///< empty once it has been called, or by `cancel`
};

} // namespace rolecall::net
