// Clients that go away, and the server's own end.
#include "tests/net/server_fixture.hpp"

using namespace rolecall::net;
using namespace rolecall::net::test;
using namespace std::chrono_literals;

namespace {

const std::string get = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

/// Returns when the loop has run everything that was posted before.
void pass_through(event_loop& loop) {
  event passed;
  boost::asio::post(loop.context(), passed.setter());
  REQUIRE(passed.happens());
}

} // namespace

TEST_CASE("a handler learns that its client has closed") {
  exchange_queue queue;
  server_fixture fixture{queue.handler()};
  auto client = fixture.connect();
  client.send(get);
  auto exchange = queue.next();
  event gone;
  exchange->on_disconnect(gone.setter());
  client.close();
  CHECK(gone.happens());
  exchange->respond({200, {}, "too late"});
}

TEST_CASE("a handler learns of a reset as of a close, with pipelined bytes in between") {
  exchange_queue queue;
  server_fixture fixture{queue.handler()};
  auto client = fixture.connect();
  client.send(get + get);
  auto exchange = queue.next();
  event gone;
  exchange->on_disconnect(gone.setter());
  client.reset();
  CHECK(gone.happens());
  CHECK(queue.empty());
}

TEST_CASE("a handler that asks too late is told at once") {
  exchange_queue queue;
  server_fixture fixture{queue.handler()};
  auto client = fixture.connect();
  client.send(get);
  auto exchange = queue.next();
  event first;
  exchange->on_disconnect(first.setter());
  client.close();
  REQUIRE(first.happens());
  event second;
  exchange->on_disconnect(second.setter());
  CHECK(second.happens());
}

TEST_CASE("a handler that has answered is not told that the client has closed") {
  exchange_queue queue;
  server_fixture fixture{queue.handler()};
  auto client = fixture.connect();
  client.send(get);
  auto exchange = queue.next();
  event gone;
  exchange->on_disconnect(gone.setter());
  echo(exchange);
  client.read_response();
  client.close();
  event closed;
  fixture.server->close(patience, closed.setter());
  CHECK(closed.happens());
  CHECK_FALSE(gone.has_happened());
}

TEST_CASE("a client that closes only its sending half counts as gone") {
  exchange_queue queue;
  server_fixture fixture{queue.handler()};
  auto client = fixture.connect();
  client.send(get);
  auto exchange = queue.next();
  event gone;
  exchange->on_disconnect(gone.setter());
  client.finish_sending();
  CHECK(gone.happens());
  CHECK(client.read_to_end().empty());
}

TEST_CASE("a graceful close ends idle connections at once and lets exchanges be answered") {
  exchange_queue queue;
  server_fixture fixture{queue.handler()};
  auto idle = fixture.connect();
  auto busy = fixture.connect();
  busy.send(get + get);
  auto exchange = queue.next();
  event closed;
  fixture.server->close(patience, closed.setter());
  CHECK(idle.read_to_end().empty());
  CHECK_FALSE(closed.has_happened());
  CHECK_THROWS(fixture.connect());
  echo(exchange);
  auto response = busy.read_to_end();
  CHECK(response.find("Connection: close\r\n") != std::string::npos);
  CHECK(response.ends_with("GET /? "));
  busy.close();
  CHECK(closed.happens());
  CHECK(queue.empty());
}

TEST_CASE("a graceful close lets a request that has begun be read to its end") {
  server_fixture fixture;
  auto client = fixture.connect();
  client.send("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  client.read_until("\r\n\r\n");
  event closed;
  fixture.server->close(patience, closed.setter());
  pass_through(fixture.loop);
  client.send("ok");
  CHECK(client.read_to_end().ends_with("POST /? ok"));
  client.close();
  CHECK(closed.happens());
}

TEST_CASE("what is left when patience ends is closed, and its handler told") {
  exchange_queue queue;
  server_fixture fixture{queue.handler()};
  auto client = fixture.connect();
  client.send(get);
  auto exchange = queue.next();
  event gone;
  exchange->on_disconnect(gone.setter());
  event closed;
  fixture.server->close(100ms, closed.setter());
  CHECK(closed.happens());
  CHECK(gone.happens());
  CHECK(client.read_to_end().empty());
}

TEST_CASE("a second close shortens the patience, and both are told") {
  exchange_queue queue;
  server_fixture fixture{queue.handler()};
  auto client = fixture.connect();
  client.send(get);
  auto exchange = queue.next();
  event first;
  event second;
  fixture.server->close(std::chrono::hours{1}, first.setter());
  fixture.server->close(0ms, second.setter());
  CHECK(first.happens());
  CHECK(second.happens());
}

TEST_CASE("closing a server that is closed is told at once") {
  server_fixture fixture;
  event first;
  fixture.server->close(0ms, first.setter());
  REQUIRE(first.happens());
  event second;
  fixture.server->close(patience, second.setter());
  CHECK(second.happens());
}

TEST_CASE("a server that is destroyed tells its handlers, and exchanges outlive it and the loop") {
  exchange_queue queue;
  exchange_ptr exchange;
  event gone;
  {
    server_fixture fixture{queue.handler()};
    auto client = fixture.connect();
    client.send(get);
    exchange = queue.next();
    exchange->on_disconnect(gone.setter());
    fixture.server.reset();
    CHECK(client.read_to_end().empty());
  }
  CHECK(gone.has_happened());
  exchange->on_disconnect([] {});
  exchange->respond({200, {}, ""});
}

TEST_CASE("a server may be destroyed after the loop has stopped") {
  exchange_queue queue;
  server_fixture fixture{queue.handler()};
  auto client = fixture.connect();
  client.send(get);
  auto exchange = queue.next();
  fixture.loop.stop();
  event gone;
  exchange->on_disconnect(gone.setter());
  fixture.server.reset();
  CHECK(gone.has_happened());
  CHECK(client.read_to_end().empty());
}

TEST_CASE("a server may be destroyed by its own handler") {
  server_fixture fixture{[](const exchange_ptr&) {}};
  auto& owned = fixture.server;
  event destroyed;
  http_server::handler destroy = [&, done = destroyed.setter()](const exchange_ptr&) {
    owned.reset();
    done();
  };
  event ready;
  boost::asio::post(fixture.loop.context(), [&, done = ready.setter()] {
    owned = std::make_unique<http_server>(fixture.loop.context(), http_server_options{}, destroy);
    done();
  });
  REQUIRE(ready.happens());
  auto client = fixture.connect();
  client.send(get);
  CHECK(destroyed.happens());
  CHECK(client.read_to_end().empty());
}
