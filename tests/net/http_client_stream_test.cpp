// Responses that are read piece by piece, while they come.
#include "tests/net/client_fixture.hpp"

#include <condition_variable>
#include <mutex>

using namespace rolecall::net;
using namespace rolecall::net::test;
using namespace std::chrono_literals;

namespace {

const std::string stream_head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

/// Collects the pieces of a body on the loop's thread, and lets the test wait for them.
class pieces {
public:
  std::function<void(std::string_view)> taker() {
    return [this](std::string_view piece) {
      std::lock_guard guard{mutex_};
      all_ += piece;
      ++count_;
      came_.notify_all();
    };
  }
  bool wait_for(const std::string& text) {
    std::unique_lock guard{mutex_};
    return came_.wait_for(guard, patience, [&] { return all_ == text; });
  }
  std::string all() {
    std::lock_guard guard{mutex_};
    return all_;
  }
  int count() {
    std::lock_guard guard{mutex_};
    return count_;
  }

private:
  std::mutex mutex_;
  std::condition_variable came_;
  std::string all_;
  int count_{0};
};

/// Serves one connection with `script` after its request has been read.
raw_server::script after_request(std::function<void(raw_socket&)> script) {
  return [script = std::move(script)](raw_socket& socket, int) {
    socket.read_until("\r\n\r\n");
    script(socket);
  };
}

} // namespace

TEST_CASE("a piece of a streamed body is handed on before the next one is sent") {
  pieces got;
  raw_server server{after_request([&](raw_socket& socket) {
    socket.send(stream_head + "3\r\none\r\n");
    CHECK(got.wait_for("one"));
    socket.send("3\r\ntwo\r\n");
    CHECK(got.wait_for("onetwo"));
    socket.send("0\r\n\r\n");
  })};
  client_fixture fixture;
  auto response = response_of(fixture.call({.url = server.url(), .on_data = got.taker()}));
  CHECK(response.status == 200);
  CHECK(response.body.empty());
  CHECK(got.all() == "onetwo");
}

TEST_CASE("a body with a length, and one that lasts until the end, are streamed alike") {
  auto head = GENERATE(std::string{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"},
                       std::string{"HTTP/1.1 200 OK\r\n\r\n"},
                       std::string{"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"});
  pieces got;
  raw_server server{after_request([&](raw_socket& socket) { socket.send(head + "hello"); })};
  client_fixture fixture;
  CHECK(response_of(fixture.call({.url = server.url(), .on_data = got.taker()})).status == 200);
  CHECK(got.all() == "hello");
}

TEST_CASE("the bound on a body is not for one that is streamed") {
  constexpr std::size_t size = 1u << 20;
  pieces got;
  raw_server server{after_request([&](raw_socket& socket) {
    socket.send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n" +
                std::string(size, 'x'));
  })};
  client_fixture fixture;
  response_of(fixture.call({.url = server.url(), .max_body_bytes = 100, .on_data = got.taker()}));
  CHECK(got.all().size() == size);
  CHECK(got.count() > 1);
}

TEST_CASE("an answer that is not 2xx is collected, within the bound") {
  pieces got;
  raw_server server{after_request([](raw_socket& socket) {
    socket.send("HTTP/1.1 503 Full\r\nContent-Length: 5\r\n\r\nhello");
  })};
  client_fixture fixture;
  auto response = response_of(fixture.call({.url = server.url(), .on_data = got.taker()}));
  CHECK(response.status == 503);
  CHECK(response.body == "hello");
  CHECK(got.count() == 0);
  auto failure =
      failure_of(fixture.call({.url = server.url(), .max_body_bytes = 4, .on_data = got.taker()}));
  CHECK(failure.code == http_errc::too_large);
}

TEST_CASE("a stream that is cut has given what came before") {
  pieces got;
  raw_server server{
      after_request([](raw_socket& socket) { socket.send(stream_head + "5\r\nhello\r\n"); })};
  client_fixture fixture;
  auto failure = failure_of(fixture.call({.url = server.url(), .on_data = got.taker()}));
  CHECK(failure.code == http_errc::connection_lost);
  CHECK(got.all() == "hello");
  CHECK(server.accepted() == 1); // a stream that has begun is not begun again
}

TEST_CASE("a stream may last longer than the timeout, but not be silent for as long") {
  pieces got;
  raw_server server{after_request([](raw_socket& socket) {
    socket.send(stream_head);
    for (int i = 0; i < 20; ++i) {
      socket.send("1\r\nx\r\n");
      if (socket.closes_within(150ms))
        return;
    }
    socket.closes_within(patience);
  })};
  client_fixture fixture;
  auto failure =
      failure_of(fixture.call({.url = server.url(), .timeout = 2s, .on_data = got.taker()}));
  CHECK(failure.code == http_errc::timeout);
  CHECK(got.all() == std::string(20, 'x'));
}

TEST_CASE("a stream that is canceled closes its socket, and gives nothing more") {
  std::promise<bool> closed;
  pieces got;
  raw_server server{after_request([&](raw_socket& socket) {
    socket.send(stream_head + "3\r\none\r\n");
    closed.set_value(socket.closes_within(patience));
  })};
  client_fixture fixture;
  auto call = fixture.start({.url = server.url(), .on_data = got.taker()});
  REQUIRE(got.wait_for("one"));
  fixture.client.cancel(call.id);
  CHECK(failure_of(call.get()).code == http_errc::canceled);
  CHECK(closed.get_future().get());
}

TEST_CASE("the client may be shut down from inside a stream") {
  raw_server server{after_request([](raw_socket& socket) {
    socket.send(stream_head + "3\r\none\r\n");
    socket.closes_within(patience);
  })};
  client_fixture fixture;
  auto call = fixture.start(
      {.url = server.url(), .on_data = [&](std::string_view) { fixture.client.shut_down(); }});
  CHECK(failure_of(call.get()).code == http_errc::shut_down);
}

TEST_CASE("a connection whose stream was read to its end carries the next call") {
  raw_server server{[](raw_socket& socket, int) {
    for (int i = 0; i < 2; ++i) {
      socket.read_until("\r\n\r\n");
      socket.send(stream_head + "3\r\none\r\n0\r\n\r\n");
    }
  }};
  client_fixture fixture;
  pieces got;
  response_of(fixture.call({.url = server.url(), .on_data = got.taker()}));
  CHECK(response_of(fixture.get(server.url())).body == "one");
  CHECK(server.accepted() == 1);
}
