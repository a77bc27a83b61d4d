#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace rolecall::net::test {

/// The longest that anything here waits for something that should happen.
constexpr std::chrono::seconds patience{20};

/// A TCP connection that sends exactly the bytes it is told to. Blocking, but never for longer than
/// `patience`: then, and on an error, it throws `std::runtime_error`.
class raw_socket {
public:
  explicit raw_socket(int descriptor) noexcept : descriptor_{descriptor} {}
  raw_socket(raw_socket&& other) noexcept;
  raw_socket& operator=(raw_socket&&) = delete;
  ~raw_socket() { close(); }

  /// Connects to 127.0.0.1. `receive_buffer` bytes, if not 0, bound what is taken unread.
  static raw_socket connect(std::uint16_t port, int receive_buffer = 0);

  void send(std::string_view bytes);
  /// Sends as much as the peer takes before it closes. Gives the number of bytes.
  std::size_t send_until_closed(std::string_view bytes, std::size_t times);

  /// What comes up to and with `mark`; what comes after it is kept for the next read.
  std::string read_until(std::string_view mark);
  /// Exactly `count` bytes.
  std::string read(std::size_t count);
  /// What comes until the peer closes, in whichever way.
  std::string read_to_end();
  /// A response head with the body that its Content-Length announces.
  std::string read_response();

  /// Whether the peer closes before `limit` is over. Throws away what it sends until then.
  bool closes_within(std::chrono::milliseconds limit);

  void finish_sending(); ///< closes the sending half
  void reset();          ///< closes so that the peer gets "connection reset"
  void close();

private:
  bool fill(); ///< reads some bytes; false once the peer has closed

  int descriptor_;
  std::string unread_;
};

/// A server on 127.0.0.1 whose every connection is served by a script, in a thread of its own.
class raw_server {
public:
  /// Gets the connection and its number, from 0. What it throws ends the connection.
  using script = std::function<void(raw_socket&, int)>;

  explicit raw_server(script serve);
  ~raw_server();

  std::uint16_t port() const noexcept { return port_; }
  int accepted() const noexcept { return accepted_; }
  /// "http://127.0.0.1:port" and `target`.
  std::string url(std::string_view target = "/") const;

private:
  void accept_all();

  script serve_;
  std::uint16_t port_{0}; ///< set along with the next member
  int descriptor_;
  std::atomic<int> accepted_{0};
  std::vector<std::thread> connections_; ///< touched by the acceptor, then by the destructor
  std::thread acceptor_;                 ///< last: it uses all the others from its start
};

/// A port of 127.0.0.1 that nobody listens on: it was free a moment ago.
std::uint16_t unused_port();

} // namespace rolecall::net::test
