#pragma once

#include "net/client_connection.hpp"
#include "net/http.hpp"
#include "net/http_client.hpp"
#include "net/pooled_http_client.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <optional>

namespace rolecall::net {

class origin_pool;

/// A call from `start` to `done`. Touched on the loop's thread only.
struct client_call {
  http_client::call_id id{0};
  http_request request;
  url target;
  http_client::handler done;
  std::chrono::steady_clock::time_point started{};
  boost::asio::steady_timer deadline;            ///< of the whole call, owned by the client
  std::chrono::steady_clock::time_point heard{}; ///< when the last piece of a streamed body came
  std::shared_ptr<origin_pool> pool;

  // The rest is the pool's.
  std::shared_ptr<client_connection> connection; ///< that the call is on; null while it waits
  std::list<std::shared_ptr<client_call>>::iterator place; ///< in the queue, while it waits
  bool waiting{false};
  bool repeated{false};
};

/// What the pools of a client have in common.
struct pool_settings {
  http_client_options options;
  /// With the options' own certificate authorities from the start; else with the system's once they
  /// are needed: to read them takes longer than all the rest of a start.
  std::optional<boost::asio::ssl::context> tls;

  /// Null if the system's certificate authorities cannot be read.
  boost::asio::ssl::context* tls_context();
};

/// The connections to one origin, and the calls that wait for one. Bounded by the options'
/// `max_connections_per_origin` and `max_waiting_per_origin`; empties as calls end and idle
/// connections time out. Used on the loop's thread only.
class origin_pool : public std::enable_shared_from_this<origin_pool> {
public:
  /// `authority` is the origin's, as a request names it. `ended` gets each submitted call that has
  /// not been withdrawn, once, with its result. `emptied` is called when there is no connection and
  /// no call left.
  origin_pool(boost::asio::io_context& context, std::shared_ptr<pool_settings> settings,
              std::string authority,
              std::function<void(std::shared_ptr<client_call>, http_result)> ended,
              std::function<void()> emptied);

  /// Puts the call on an idle connection, on a new one, or in the queue.
  void submit(const std::shared_ptr<client_call>& call);

  /// Takes the call out of the queue, or closes the connection it is on. Gives what had come of the
  /// response.
  http_response withdraw(client_call& call);

  /// Closes everything. No call is ended by it.
  void close();

private:
  using connection_ptr = std::shared_ptr<client_connection>;

  struct idle_connection {
    connection_ptr connection;
    std::chrono::steady_clock::time_point since;
    bool watched{false};
  };

  void dispatch();
  connection_ptr take_idle();
  void open(const std::shared_ptr<client_call>& call);
  void run(const std::shared_ptr<client_call>& call, connection_ptr connection);
  void on_outcome(const std::shared_ptr<client_call>& call, exchange_outcome outcome);
  void keep(connection_ptr connection);
  void on_idle_dead(const client_connection* connection);
  std::deque<idle_connection>::iterator first_unwatched();
  void start_idle_timer();
  void look_at_idle();
  void on_slot_free();

  boost::asio::io_context& context_;
  std::shared_ptr<pool_settings> settings_;
  std::string authority_;
  std::function<void(std::shared_ptr<client_call>, http_result)> ended_;
  std::function<void()> emptied_;
  std::size_t connections_{0};                      ///< opening, in use and idle together
  std::list<std::shared_ptr<client_call>> waiting_; ///< in order of arrival
  /// The one used last is at the back; those that are watched are at the front.
  std::deque<idle_connection> idle_;
  boost::asio::steady_timer idle_timer_; ///< until the next of them is to be watched or closed
  bool idle_timer_runs_{false};
};

} // namespace rolecall::net
