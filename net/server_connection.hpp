#pragma once

#include "net/http_server.hpp"
#include "net/message_parser.hpp"
#include "net/response_head.hpp"
#include "net/server_exchange.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace rolecall::net {

class server_connection;

/// What a connection needs of its server. It is kept by the connections, and `ended` and `handle`
/// are emptied when the server goes.
struct connection_host {
  http_server_options options;
  std::shared_ptr<const http_server::handler> handle;
  std::function<void(server_connection&)> ended; ///< called once by each connection
  std::shared_ptr<server_inbox> inbox;

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
/// is room in the buffer, so a client that goes away is noticed. Used on the loop's thread only.
class server_connection : public std::enable_shared_from_this<server_connection> {
public:
  server_connection(boost::asio::ip::tcp::socket socket, std::shared_ptr<connection_host> host);

  void start();

  /// Sends the response to the request that is with the handler.
  void respond(http_response response);

  /// No further requests: closes at once if no request has begun, else after the present response.
  void drain();

  /// Closes at once.
  void close();

private:
  enum class phase {
    idle,     ///< nothing of a request has come
    head,     ///< part of a head
    body,     ///< a head and part of a body
    proceed,  ///< "100 Continue" is being written
    handling, ///< the request is with the handler
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
  void write_continue();
  void refuse(unsigned status, std::string_view code, std::string_view message);
  void refuse_unparsed();
  void send(http_response response);
  void on_sent(boost::system::error_code error);

  boost::asio::ip::tcp::socket socket_;
  std::shared_ptr<connection_host> host_;
  phase phase_{phase::idle};
  bool reading_{false};  ///< a read is pending
  bool draining_{false}; ///< the response on its way is the last one
  bool closed_{false};

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
  bool version_1_0_{false};
  std::string response_head_; ///< while it is written, as is response_body_
  std::string response_body_;
};

} // namespace rolecall::net
