// Deadlines, cancellation and the end of the client.
#include "tests/net/client_fixture.hpp"

#include <set>

using namespace rolecall::net;
using namespace rolecall::net::test;
using namespace std::chrono_literals;

namespace {

/// Reads the request, answers nothing, and tells when the client has closed.
struct silent_server {
  std::promise<void> asked;
  std::promise<bool> closed;
  raw_server server{[this](raw_socket& socket, int) {
    socket.read_until("\r\n\r\n");
    asked.set_value();
    closed.set_value(socket.closes_within(patience));
  }};
};

} // namespace

TEST_CASE("a refused connection is told with host, port and the system's words") {
  client_fixture fixture;
  auto port = std::to_string(unused_port());
  auto failure = failure_of(fixture.get("http://127.0.0.1:" + port + "/"));
  CHECK(failure.code == http_errc::connect_failed);
  CHECK(failure.message == "cannot connect to 127.0.0.1:" + port + ": Connection refused");
}

TEST_CASE("a name is tried at each of its addresses") {
  raw_server server{[](raw_socket& socket, int) {
    socket.read_until("\r\n\r\n");
    socket.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  }};
  client_fixture fixture;
  // The server listens on 127.0.0.1 only; localhost may be ::1 first.
  auto url = "http://localhost:" + std::to_string(server.port()) + "/";
  CHECK(response_of(fixture.get(url)).status == 200);
}

TEST_CASE("a name that nobody has cannot be connected to") {
  client_fixture fixture;
  auto failure = failure_of(fixture.get("http://no-such-host.invalid/"));
  CHECK(failure.code == http_errc::connect_failed);
  CHECK(failure.message.starts_with("cannot connect to no-such-host.invalid:80: "));
}

TEST_CASE("a handshake that does not come runs into the connect timeout") {
  silent_server silent;
  client_fixture fixture;
  auto port = std::to_string(silent.server.port());
  auto failure = failure_of(
      fixture.call({.url = "https://127.0.0.1:" + port + "/", .connect_timeout = 100ms}));
  CHECK(failure.code == http_errc::connect_failed);
  CHECK(failure.message == "cannot connect to 127.0.0.1:" + port + ": no connection within 100 ms");
}

TEST_CASE("a server that does not answer runs into the timeout and sees the connection closed") {
  silent_server silent;
  client_fixture fixture;
  auto failure = failure_of(fixture.call({.url = silent.server.url(), .timeout = 1s}));
  CHECK(failure.code == http_errc::timeout);
  CHECK(failure.message.find("127.0.0.1:" + std::to_string(silent.server.port())) !=
        std::string::npos);
  CHECK(silent.closed.get_future().get());
}

TEST_CASE("one byte at a time does not extend the timeout") {
  raw_server server{[](raw_socket& socket, int) {
    socket.read_until("\r\n\r\n");
    socket.send("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
    while (!socket.closes_within(20ms))
      socket.send("x");
  }};
  client_fixture fixture;
  auto failure = failure_of(fixture.call({.url = server.url(), .timeout = 200ms}));
  CHECK(failure.code == http_errc::timeout);
}

TEST_CASE("a canceled call ends, and the server sees the connection closed") {
  silent_server silent;
  client_fixture fixture;
  auto call = fixture.start({.url = silent.server.url()});
  silent.asked.get_future().wait();
  fixture.client.cancel(call.id);
  CHECK(failure_of(call.get()).code == http_errc::canceled);
  CHECK(silent.closed.get_future().get());
}

TEST_CASE("a call canceled right after its start ends canceled, once") {
  silent_server silent;
  client_fixture fixture;
  auto call = fixture.start({.url = silent.server.url()});
  fixture.client.cancel(call.id);
  fixture.client.cancel(call.id);
  CHECK(failure_of(call.get()).code == http_errc::canceled);
}

TEST_CASE("canceling a call that has ended, or never was, does nothing") {
  raw_server server{[](raw_socket& socket, int) {
    for (int i = 0; i < 2; ++i) {
      socket.read_until("\r\n\r\n");
      socket.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    }
  }};
  client_fixture fixture;
  auto call = fixture.start({.url = server.url()});
  response_of(call.get());
  fixture.client.cancel(call.id);
  fixture.client.cancel(999'999);
  CHECK(response_of(fixture.get(server.url())).status == 200);
}

TEST_CASE("done is called on the loop's thread, not from inside start") {
  client_fixture fixture;
  std::promise<std::thread::id> seen;
  fixture.client.start({.url = "nonsense"},
                       [&](auto) { seen.set_value(std::this_thread::get_id()); });
  CHECK(seen.get_future().get() != std::this_thread::get_id());
  std::promise<bool> inside;
  boost::asio::post(fixture.loop.context(), [&] {
    auto called = std::make_shared<bool>(false);
    fixture.client.start({.url = "nonsense"}, [called](auto) { *called = true; });
    inside.set_value(*called);
  });
  CHECK_FALSE(inside.get_future().get());
}

TEST_CASE("a call that starts on the loop's thread, from another one's end, has its turn there") {
  raw_server server{[](raw_socket& socket, int) {
    for (int i = 0; i < 3; ++i) {
      socket.read_until("\r\n\r\n");
      socket.send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n" + std::to_string(i));
    }
    socket.closes_within(patience);
  }};
  std::promise<std::string> bodies;
  client_fixture fixture;
  auto all = std::make_shared<std::string>();
  std::function<void(http_result)> next = [&, all](http_result got) {
    *all += response_of(std::move(got)).body;
    auto before = *all;
    if (all->size() == 3)
      return bodies.set_value(*all);
    fixture.client.start({.url = server.url()}, next);
    CHECK(*all == before);
  };
  fixture.client.start({.url = server.url()}, next);
  CHECK(bodies.get_future().get() == "012");
  CHECK(server.accepted() == 1);
}

TEST_CASE("shutting down ends calls that run and calls that wait, before it returns") {
  silent_server silent;
  client_fixture fixture{{.max_connections_per_origin = 1}};
  std::vector<pending_call> calls;
  calls.reserve(3);
  for (int i = 0; i < 3; ++i)
    calls.push_back(fixture.start({.url = silent.server.url()}));
  silent.asked.get_future().wait();
  fixture.client.shut_down();
  for (auto& call : calls) {
    REQUIRE(call.result.wait_for(0s) == std::future_status::ready);
    CHECK(failure_of(call.get()).code == http_errc::shut_down);
  }
  CHECK(silent.closed.get_future().get());
}

TEST_CASE("a call that fails at once is told of, though its loop ends before it comes to that") {
  std::promise<http_result> told;
  std::promise<void> started;
  client_fixture fixture;
  boost::asio::post(fixture.loop.context(), [&] {
    fixture.client.start({.url = "nonsense"},
                         [&](http_result result) { told.set_value(std::move(result)); });
    fixture.loop.context().stop();
    started.set_value();
  });
  started.get_future().get();
  fixture.loop.stop();
  fixture.client.shut_down();
  CHECK(told.get_future().wait_for(0s) == std::future_status::ready);
}

TEST_CASE("a client that is shut down refuses new calls, and may be shut down again") {
  client_fixture fixture;
  fixture.client.shut_down();
  fixture.client.shut_down();
  CHECK(failure_of(fixture.get("http://127.0.0.1:1/")).code == http_errc::shut_down);
}

TEST_CASE("shutting down on the loop's own thread ends the calls soon after") {
  silent_server silent;
  client_fixture fixture;
  auto call = fixture.start({.url = silent.server.url()});
  silent.asked.get_future().wait();
  boost::asio::post(fixture.loop.context(), [&] { fixture.client.shut_down(); });
  CHECK(failure_of(call.get()).code == http_errc::shut_down);
}

TEST_CASE("shutting down after the loop has stopped still ends every call") {
  silent_server silent;
  client_fixture fixture;
  auto running = fixture.start({.url = silent.server.url()});
  silent.asked.get_future().wait();
  fixture.loop.stop();
  auto never_seen = fixture.start({.url = silent.server.url()});
  fixture.client.shut_down();
  CHECK(failure_of(running.get()).code == http_errc::shut_down);
  CHECK(failure_of(never_seen.get()).code == http_errc::shut_down);
}

TEST_CASE("calls that are started and canceled from many threads each end once") {
  raw_server server{[](raw_socket& socket, int) {
    while (true) {
      socket.read_until("\r\n\r\n");
      socket.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    }
  }};
  std::atomic<int> ended{0};
  constexpr int threads = 4;
  constexpr int each = 200;
  {
    client_fixture fixture{{.max_connections_per_origin = 8}};
    std::vector<std::thread> starters;
    starters.reserve(threads);
    for (int i = 0; i < threads; ++i)
      starters.emplace_back([&] {
        for (int n = 0; n < each; ++n) {
          auto id = fixture.client.start({.url = server.url()}, [&](auto) { ++ended; });
          if (n % 3 == 0)
            fixture.client.cancel(id);
        }
      });
    for (auto& starter : starters)
      starter.join();
  }
  CHECK(ended == threads * each);
}
