#pragma once

#include "net/event_loop.hpp"
#include "net/http_server.hpp"
#include "tests/net/raw_socket.hpp"

#include <boost/asio/post.hpp>
#include <boost/system/system_error.hpp>
#include <catch2/catch.hpp>

#include <condition_variable>
#include <deque>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

namespace rolecall::net::test {

using exchange_ptr = std::shared_ptr<http_exchange>;

/// Tells the request back: "METHOD path?query body".
inline void echo(const exchange_ptr& exchange) {
  exchange->respond({200,
                     {{"Content-Type", "text/plain"}},
                     exchange->method() + " " + exchange->path() + "?" + exchange->query() + " " +
                         exchange->body()});
}

/// A server with a loop of its own.
struct server_fixture {
  event_loop loop;
  std::unique_ptr<http_server> server;

  explicit server_fixture(http_server::handler handle = echo, http_server_options options = {})
      : server{
            std::make_unique<http_server>(loop.context(), std::move(options), std::move(handle))} {}

  raw_socket connect(int receive_buffer = 0) {
    return raw_socket::connect(server->port(), receive_buffer);
  }

  /// Everything that is answered to `bytes` on a new connection, until the server closes it.
  std::string answer(std::string_view bytes) {
    auto client = connect();
    client.send(bytes);
    return client.read_to_end();
  }
};

/// A handler that keeps its exchanges for the test to answer.
class exchange_queue {
public:
  http_server::handler handler() {
    return [this](exchange_ptr exchange) {
      std::lock_guard guard{mutex_};
      exchanges_.push_back(std::move(exchange));
      arrived_.notify_one();
    };
  }

  exchange_ptr next() {
    std::unique_lock guard{mutex_};
    REQUIRE(arrived_.wait_for(guard, patience, [this] { return !exchanges_.empty(); }));
    auto result = std::move(exchanges_.front());
    exchanges_.pop_front();
    return result;
  }

  bool empty() {
    std::lock_guard guard{mutex_};
    return exchanges_.empty();
  }

private:
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<exchange_ptr> exchanges_;
};

/// Something that is expected to happen, once.
class event {
public:
  std::function<void()> setter() {
    return [promise = promise_] { promise->set_value(); };
  }
  bool happens() { return future_.wait_for(patience) == std::future_status::ready; }
  bool has_happened() {
    return future_.wait_for(std::chrono::seconds{0}) == std::future_status::ready;
  }

private:
  std::shared_ptr<std::promise<void>> promise_{std::make_shared<std::promise<void>>()};
  std::future<void> future_{promise_->get_future()};
};

} // namespace rolecall::net::test
