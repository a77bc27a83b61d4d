#pragma once

#include "net/frame_parser.hpp"
#include "net/peer_socket.hpp"

#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace rolecall::net {

struct frame_options {
  std::size_t max_frame_bytes{1u << 20};   ///< of a frame's content, as it comes in
  std::size_t max_unread_bytes{16u << 20}; ///< past it, no more is read until some is consumed
  std::size_t max_queued_bytes{64u << 20}; ///< past it, the stream is closed; below 4 GiB
  std::chrono::milliseconds close_patience{1'000}; ///< to write what is queued, see `close`
};

/// One connection that carries frames both ways, over TLS or plain: four bytes of length (big
/// endian), then that many bytes.
///
/// Made by `frame_listener` and `frame_dial`. Once it has been started it lives until one side
/// closes it, whoever holds it; it does not outlive the `io_context`. But where it says so, a
/// function may be called from any thread.
class frame_stream : public std::enable_shared_from_this<frame_stream> {
public:
  /// Gets the content of a frame.
  using frame_handler = std::function<void(std::string)>;
  /// Gets the reason in plain words; none after our own `close`.
  using close_handler = std::function<void(std::string)>;

  /// What a frame counts beside its content where unread bytes are counted: strings and messages
  /// have a size too, and empty frames must not be free.
  static constexpr std::size_t unread_cost_of_frame = 64;

  /// `socket` is connected, and its handshake is done.
  frame_stream(std::unique_ptr<peer_socket> socket, const frame_options& options);

  /// Begins to read. Both are called on the loop's thread, never from inside a function of this
  /// class, and must not block or throw. `on_close` is called once, and is the last call; it is not
  /// if the loop is stopped before. On the loop's thread, once.
  void start(frame_handler on_frame, close_handler on_close);

  /// Sends a frame. All that is queued is written together, in order. If the queue would get larger
  /// than `max_queued_bytes`, the stream is closed with that reason. Does nothing once it is
  /// closed.
  void send(std::string_view content);

  /// For frames whose head has not come yet: small before the peer has introduced itself, larger
  /// after.
  void set_max_frame_bytes(std::size_t bytes) { max_frame_bytes_ = bytes; }

  /// The receiver is done with so many frames, of so many bytes of content together. While more
  /// than `max_unread_bytes` have been handed over and not consumed, nothing is read: the peer has
  /// to wait, and its end is not noticed.
  void consumed(std::size_t bytes, std::size_t frames = 1);

  /// Ends the stream: no frame is handed over any more, what is queued is written, and then there
  /// is a wait until the peer has closed its side too. After `close_patience` it is over in any
  /// case.
  void close();

  /// The peer's address: "10.0.0.2:40312", "[::1]:7".
  const std::string& remote() const noexcept { return remote_; }
  /// Whom the peer's certificate names, see `net::certificate_names`; none if plain.
  const std::vector<std::string>& certificate_names() const noexcept { return names_; }

  /// Frames with their heads, before encryption.
  std::uint64_t received_bytes() const noexcept { return received_; }
  std::uint64_t sent_bytes() const noexcept { return sent_; }
  std::size_t queued_bytes() const; ///< that the system has not taken yet

private:
  void read();
  void on_read(boost::system::error_code error, std::size_t count);
  void on_lost(boost::system::error_code error);
  void deliver();
  void count_unread(std::size_t bytes);
  bool halted() const;
  void write();
  void on_written(boost::system::error_code error);
  void begin_close();
  void finish(std::string reason);
  std::string too_large() const;

  const frame_options options_;
  const std::unique_ptr<peer_socket> socket_;
  std::string remote_;
  std::vector<std::string> names_;
  std::atomic<std::size_t> max_frame_bytes_;
  std::atomic<std::uint64_t> received_{0};
  std::atomic<std::uint64_t> sent_{0};

  mutable std::mutex mutex_; ///< guards the members up to the next remark
  std::string queue_;        ///< frames that are to be written
  bool writing_{false};      ///< a write is pending or posted
  bool sealed_{false};       ///< no more frames are taken
  std::size_t in_flight_{0}; ///< the size of `batch_`
  std::size_t unread_{0};    ///< handed over and not consumed
  bool paused_{false};       ///< too much is unread

  // The loop's thread only.
  frame_handler on_frame_;
  close_handler on_close_;
  std::string batch_; ///< while it is written
  std::vector<char> buffer_;
  std::string_view unparsed_; ///< of what has been read into `buffer_`
  frame_parser parser_;
  boost::asio::steady_timer patience_;
  bool reading_{false}; ///< a read is pending
  bool closing_{false}; ///< `close` has been called: what comes is thrown away
  bool closed_{false};
  std::string reason_; ///< why it is closed
};

} // namespace rolecall::net
