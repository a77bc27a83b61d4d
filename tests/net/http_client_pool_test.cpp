// Which connection a call gets, and what becomes of the connection.
#include "tests/net/client_fixture.hpp"

using namespace rolecall::net;
using namespace rolecall::net::test;
using namespace std::chrono_literals;

namespace {

const std::string ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// Answers request after request with `ok`.
void serve_for_ever(raw_socket& socket, int) {
  while (true) {
    socket.read_until("\r\n\r\n");
    socket.send(ok);
  }
}

/// Answers the first request of the first connection with `bytes`, all others with `ok`.
raw_server::script first_answer(std::string bytes) {
  return [bytes = std::move(bytes)](raw_socket& socket, int number) {
    if (number == 0) {
      socket.read_until("\r\n\r\n");
      socket.send(bytes);
    }
    serve_for_ever(socket, number);
  };
}

} // namespace

TEST_CASE("calls one after the other share one connection") {
  raw_server server{serve_for_ever};
  client_fixture fixture;
  for (int i = 0; i < 10; ++i)
    CHECK(response_of(fixture.get(server.url())).body == "ok");
  CHECK(server.accepted() == 1);
}

TEST_CASE("origins do not share connections") {
  raw_server one{serve_for_ever};
  raw_server two{serve_for_ever};
  client_fixture fixture;
  response_of(fixture.get(one.url()));
  response_of(fixture.get(two.url()));
  CHECK(one.accepted() == 1);
  CHECK(two.accepted() == 1);
}

TEST_CASE("a connection is not used again if the response does not allow it") {
  auto answer =
      GENERATE(std::string{"HTTP/1.1 200 OK\r\nConnection: close\r\n"
                           "Content-Length: 2\r\n\r\nok"},
               std::string{"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok"}, ok + "and more");
  raw_server server{first_answer(answer)};
  client_fixture fixture;
  CHECK(response_of(fixture.get(server.url())).body == "ok");
  CHECK(response_of(fixture.get(server.url())).body == "ok");
  CHECK(server.accepted() == 2);
}

TEST_CASE("a connection of an HTTP/1.0 server that keeps it is used again") {
  raw_server server{
      first_answer("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok")};
  client_fixture fixture;
  response_of(fixture.get(server.url()));
  response_of(fixture.get(server.url()));
  CHECK(server.accepted() == 1);
}

TEST_CASE("what a server says unasked on an idle connection answers no later call") {
  std::promise<void> taken;
  std::promise<void> said;
  raw_server server{[&](raw_socket& socket, int number) {
    if (number == 0) {
      socket.read_until("\r\n\r\n");
      socket.send(ok);
      taken.get_future().wait();
      socket.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil");
      said.set_value();
    }
    serve_for_ever(socket, number);
  }};
  client_fixture fixture;
  CHECK(response_of(fixture.get(server.url())).body == "ok");
  taken.set_value();
  said.get_future().wait();
  CHECK(response_of(fixture.get(server.url())).body == "ok");
  CHECK(server.accepted() == 2);
}

TEST_CASE("an idle connection that the server closes is closed here too, whatever its timeout") {
  std::promise<void> taken;
  std::promise<bool> closed;
  raw_server server{[&](raw_socket& socket, int) {
    socket.read_until("\r\n\r\n");
    socket.send(ok);
    taken.get_future().wait();
    socket.finish_sending();
    closed.set_value(socket.closes_within(patience));
  }};
  client_fixture fixture{{.idle_timeout = 1h}};
  response_of(fixture.get(server.url()));
  taken.set_value();
  CHECK(closed.get_future().get());
}

TEST_CASE("an idle connection is closed after its timeout") {
  std::promise<bool> closed;
  raw_server server{[&](raw_socket& socket, int) {
    socket.read_until("\r\n\r\n");
    socket.send(ok);
    closed.set_value(socket.closes_within(patience));
  }};
  client_fixture fixture{{.idle_timeout = 50ms}};
  response_of(fixture.get(server.url()));
  CHECK(closed.get_future().get());
}

TEST_CASE("a pooled connection that dies unanswered is replaced once, and the call succeeds") {
  raw_server server{[](raw_socket& socket, int number) {
    if (number > 0)
      return serve_for_ever(socket, number);
    socket.read_until("\r\n\r\n");
    socket.send(ok);
    socket.read_until("\r\n\r\n");
  }};
  client_fixture fixture;
  response_of(fixture.get(server.url()));
  CHECK(response_of(fixture.get(server.url())).body == "ok");
  CHECK(server.accepted() == 2);
}

TEST_CASE("a call is repeated once, not twice") {
  raw_server server{[](raw_socket& socket, int number) {
    socket.read_until("\r\n\r\n");
    if (number == 0) {
      socket.send(ok);
      socket.read_until("\r\n\r\n");
    }
  }};
  client_fixture fixture;
  response_of(fixture.get(server.url()));
  CHECK(failure_of(fixture.get(server.url())).code == http_errc::connection_lost);
  CHECK(server.accepted() == 2);
}

TEST_CASE("a call is not repeated once a byte of its answer has come") {
  raw_server server{[](raw_socket& socket, int) {
    socket.read_until("\r\n\r\n");
    socket.send(ok);
    socket.read_until("\r\n\r\n");
    socket.send("H");
  }};
  client_fixture fixture;
  response_of(fixture.get(server.url()));
  auto failure = failure_of(fixture.call({.method = "POST", .url = server.url()}));
  CHECK(failure.code == http_errc::connection_lost);
  CHECK(server.accepted() == 1);
}

TEST_CASE("a call on a fresh connection is not repeated") {
  raw_server server{[](raw_socket& socket, int) { socket.read_until("\r\n\r\n"); }};
  client_fixture fixture;
  CHECK(failure_of(fixture.get(server.url())).code == http_errc::connection_lost);
  CHECK(server.accepted() == 1);
}

TEST_CASE("calls past the bound of connections wait, and are served in order") {
  std::mutex mutex;
  std::string order;
  raw_server server{[&](raw_socket& socket, int) {
    while (true) {
      auto head = socket.read_until("\r\n\r\n");
      {
        std::lock_guard guard{mutex};
        order += head.substr(5, 1);
      }
      socket.send(ok);
    }
  }};
  client_fixture fixture{{.max_connections_per_origin = 1}};
  std::vector<pending_call> calls;
  for (auto c : std::string{"abcdef"})
    calls.push_back(fixture.start({.url = server.url(std::string{"/"} + c)}));
  for (auto& call : calls)
    response_of(call.get());
  CHECK(order == "abcdef");
  CHECK(server.accepted() == 1);
}

namespace {

/// One connection, held by a call that is not answered before `release` is set.
struct busy_origin {
  std::promise<void> release;
  std::shared_future<void> released{release.get_future()};
  raw_server server{[this](raw_socket& socket, int number) {
    socket.read_until("\r\n\r\n");
    released.wait();
    socket.send(ok);
    serve_for_ever(socket, number);
  }};
  client_fixture fixture{{.max_connections_per_origin = 1, .max_waiting_per_origin = 1}};
  pending_call holder{fixture.start({.url = server.url()})};
};

} // namespace

TEST_CASE("calls past the bound of the queue are refused as overload") {
  busy_origin busy;
  auto waiting = busy.fixture.start({.url = busy.server.url()});
  auto failure = failure_of(busy.fixture.get(busy.server.url()));
  CHECK(failure.code == http_errc::overloaded);
  busy.release.set_value();
  CHECK(response_of(busy.holder.get()).status == 200);
  CHECK(response_of(waiting.get()).status == 200);
}

TEST_CASE("the deadline of a call passes while it waits for a connection") {
  busy_origin busy;
  auto failure = failure_of(busy.fixture.call({.url = busy.server.url(), .timeout = 100ms}));
  CHECK(failure.code == http_errc::timeout);
  CHECK(failure.message.find("no free connection") != std::string::npos);
  busy.release.set_value();
  CHECK(response_of(busy.holder.get()).status == 200);
}

TEST_CASE("a waiting call can be canceled, and its place is free again") {
  busy_origin busy;
  auto waiting = busy.fixture.start({.url = busy.server.url()});
  busy.fixture.client.cancel(waiting.id);
  CHECK(failure_of(waiting.get()).code == http_errc::canceled);
  auto next = busy.fixture.start({.url = busy.server.url()});
  busy.release.set_value();
  CHECK(response_of(next.get()).status == 200);
}

TEST_CASE("a canceled call's connection makes room for one that waits") {
  busy_origin busy;
  auto waiting = busy.fixture.start({.url = busy.server.url()});
  busy.fixture.client.cancel(busy.holder.id);
  CHECK(failure_of(busy.holder.get()).code == http_errc::canceled);
  busy.release.set_value();
  CHECK(response_of(waiting.get()).status == 200);
}
