#pragma once

#include "net/http_server.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include <functional>
#include <memory>
#include <optional>

namespace rolecall::net {

class http_session;

/// What a connection of the server needs to know of it.
class session_owner {
public:
  virtual ~session_owner() = default;
  virtual const http_server_options& options() const = 0;
  virtual bool closing() const = 0;
  virtual void handle(std::shared_ptr<http_exchange> exchange) = 0;
  virtual void ended(const std::shared_ptr<http_session>& session) = 0;
};

/// One connection of the server: requests one after the other. On the loop's thread only, but for
/// `answer`.
class http_session : public std::enable_shared_from_this<http_session> {
public:
  http_session(boost::asio::ip::tcp::socket socket, std::shared_ptr<session_owner> owner);

  void start();
  /// Ends at once if no request is under way, else after its response.
  void close_when_idle();
  void abort();

  /// The response to request `number` of this connection. From any thread; the first one counts.
  void answer(std::uint64_t number, http_response response);
  /// Sets the function that is called if the client goes before request `number` is answered.
  void on_gone(std::uint64_t number, std::function<void()> gone);

private:
  using request = boost::beast::http::request<boost::beast::http::string_body>;
  using parser = boost::beast::http::request_parser<boost::beast::http::string_body>;

  boost::asio::awaitable<void> run();
  /// Gives whether the connection goes on.
  boost::asio::awaitable<bool> serve_one();
  boost::asio::awaitable<bool> read(parser& parser);
  boost::asio::awaitable<bool> refuse(unsigned status, std::string code, std::string message);
  boost::asio::awaitable<bool> write(const http_response& response, bool keep_alive,
                                     bool head_only);
  boost::asio::awaitable<void> wait_for_answer();
  boost::asio::awaitable<void> linger();
  void watch_client(std::uint64_t number);
  void client_gone();

  /// From now on, what is under way is canceled when `length` has passed.
  void set_limit(std::chrono::milliseconds length);
  void enforce_limit(std::uint64_t number);
  void clear_limit();

  boost::asio::ip::tcp::socket socket_;
  std::shared_ptr<session_owner> owner_;
  boost::asio::steady_timer limit_;
  boost::asio::steady_timer answered_; // canceled when the response is there
  boost::beast::flat_buffer buffer_;
  std::uint64_t number_{0}; // of the request under way
  bool idle_{true};
  bool late_{false};              // the limit has passed
  std::uint64_t limit_number_{0}; // of the limit in force: an earlier one may still be on its way
  bool aborted_{false};
  bool gone_{false};    // the client has gone while its request was under way
  bool waiting_{false}; // for the answer to request `number_`
  std::function<void()> on_gone_;
  std::optional<http_response> response_;
};

} // namespace rolecall::net
