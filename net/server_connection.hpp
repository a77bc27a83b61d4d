#pragma once

#include "net/http_server.hpp"
#include "net/message_parser.hpp"
#include "net/peer_socket.hpp"
#include "net/response_head.hpp"
#include "net/server_exchange.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>

#include <atomic>
#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rolecall::net {

class server_connection;

/// What is bounded of the servers that share an address, over all their loops.
struct server_load {
  std::atomic<std::size_t> connections{0};
  std::atomic<std::size_t> body_bytes{0}; ///< of requests whose bodies are read or handled
};

/// What a connection needs of its server. It is kept by the connections, and `ended` and `handle`
/// are emptied when the server goes.
struct connection_host {
  http_server_options options;
  std::optional<boost::asio::ssl::context> tls;
  std::shared_ptr<const http_server::handler> handle;
  std::function<void(server_connection&)> ended; ///< called once by each connection
  std::shared_ptr<server_inbox> inbox;
  std::shared_ptr<server_load> load;

  /// The present time for the Date header, written anew at most once a second.
  const std::string& date();

private:
  std::chrono::system_clock::time_point date_made_{};
  std::string date_;
};

/// One client of the server: reads requests one after the other, and writes the responses.
///
/// At any time it waits for the client (idle, head, body), for the handler, for a response to be
/// taken, or for the client to close (linger). A read is pending in all of them, as long as there
/// is room in the buffer, so a client that goes away is noticed. While a request is with the
/// handler its body may still be read, and a streamed response be written, at the same time (see
/// server_stream.cpp). Used on the loop's thread only.
class server_connection : public std::enable_shared_from_this<server_connection> {
public:
  server_connection(boost::asio::ip::tcp::socket socket, std::shared_ptr<connection_host> host);

  void start();

  /// Whether it waits for the head of a request, and since when.
  std::optional<std::chrono::steady_clock::time_point> silent_since() const;

  /// What the server itself answers, in the form that its options say.
  http_response refusal(unsigned status, std::string_view code, std::string_view message) const;

  /// Sends the response to the request that is with the handler.
  void respond(http_response response);

  // These act for the exchange with that state, and do nothing if it is not the present one.
  void read_body(body_order order);
  void begin_stream(const stream_head& order);
  void write_part(stream_part order);
  void abort(const stream_abort& order);

  /// No further requests: closes at once if no request has begun, else after the present response.
  void drain();

  /// Closes at once.
  void close();

private:
  static constexpr std::string_view continue_text = "HTTP/1.1 100 Continue\r\n\r\n";

  enum class phase {
    idle,     ///< nothing of a request has come
    head,     ///< part of a head
    body,     ///< a head and part of a body
    proceed,  ///< "100 Continue" is being written
    handling, ///< the request is with the handler, or a streamed response is being made
    writing,  ///< the response is being written
    linger    ///< the last response is out: what still comes is thrown away until the client closes
  };

  void enter(phase next, std::optional<std::chrono::milliseconds> time_limit);
  void start_timer();
  void on_deadline();
  void read();
  void on_read(boost::system::error_code error, std::size_t count);
  std::string_view unparsed() const;
  void parse();
  bool on_head();
  void on_request();
  bool account_body();
  void release_body();
  void hand_over(message request);
  bool wants_continue() const;
  void write_continue();
  void refuse(unsigned status, std::string_view code, std::string_view message);
  void refuse_unparsed();
  std::string settle_head(const http_response& response, body_framing framing);
  void send(http_response response);
  void on_sent(boost::system::error_code error);
  void on_response_done();

  // -- server_stream.cpp
  void feed_body();
  void deliver(body_piece piece);
  void write_late_continue();
  void write_stream();
  void on_stream_sent(boost::system::error_code error, bool whole);
  void on_stream_done();
  void on_late();
  void rearm();

  peer_socket socket_;
  std::string peer_;
  std::shared_ptr<connection_host> host_;
  phase phase_{phase::idle};
  bool reading_{false};  ///< a read is pending
  bool draining_{false}; ///< the response on its way is the last one
  bool closed_{false};
  std::chrono::steady_clock::time_point since_; ///< when the present phase began

  // The timer is left running when its deadline moves further away, and looks again when it fires:
  // most requests are over long before any deadline, and cost no timer that way.
  boost::asio::steady_timer timer_;
  std::optional<std::chrono::steady_clock::time_point> deadline_; ///< of the present phase
  std::optional<std::chrono::steady_clock::time_point> timer_at_; ///< when it will fire

  boost::beast::flat_buffer buffer_; ///< read and not parsed, bounded by `max_buffered`
  std::size_t max_buffered_;
  std::size_t parsed_{
      0}; ///< of the buffer's front; it is cut off when no read is writing behind it
  std::optional<message_parser> parser_;
  std::shared_ptr<exchange_state> exchange_; ///< of the request that is with the handler
  bool head_request_{false};
  bool keep_alive_{false};
  std::size_t accounted_{0}; ///< of the load's body bytes, for the present request
  bool version_1_0_{false};
  std::string response_head_; ///< while it is written, as is response_body_
  std::string response_body_;

  // Of a request whose body is handed over piece by piece.
  bool body_open_{false};                ///< its end has not been read
  bool owes_continue_{false};            ///< the client waits for "100 Continue"
  std::function<void(body_piece)> pull_; ///< somebody waits for the next piece
  std::chrono::steady_clock::time_point pull_since_;

  // Of a streamed response.
  std::optional<body_framing> stream_;                   ///< while one is being made
  std::deque<std::shared_ptr<const std::string>> parts_; ///< to be written
  bool stream_ends_{false};                              ///< there will be no further parts
  std::string stream_text_; ///< while it is written: heads of chunks, and what is not a part
  std::vector<std::shared_ptr<const std::string>> writing_; ///< while they are written
  bool stream_writing_{false};
  std::optional<http_response> deferred_; ///< until "100 Continue" has been written
  std::chrono::steady_clock::time_point write_since_;
};

} // namespace rolecall::net
