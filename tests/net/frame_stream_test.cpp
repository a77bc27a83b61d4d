// Streams of frames over plain connections: order, limits, and every way to end.
#include "tests/net/frame_fixture.hpp"

#include <future>
#include <map>
#include <thread>

using namespace rolecall::net;
using namespace rolecall::net::test;
using namespace std::chrono_literals;

namespace {

/// A connection of `fixture` with raw bytes at one end.
struct raw_link {
  raw_socket client;
  end_ptr server;

  explicit raw_link(frame_fixture& fixture)
      : client{fixture.raw()}, server{fixture.accepted.next()} {}
};

/// A server that never reads.
struct deaf_server {
  std::promise<void> test_is_over;
  raw_server server{[over = test_is_over.get_future().share()](raw_socket&, int) { over.wait(); }};

  ~deaf_server() { test_is_over.set_value(); }
};

} // namespace

TEST_CASE("frames go both ways, in order, empty and large ones too") {
  frame_fixture fixture{{.frames = {.max_frame_bytes = 8u << 20}}};
  auto client = fixture.connect({.frames = {.max_frame_bytes = 8u << 20}});
  auto server = fixture.accepted.next();
  std::vector<std::string> frames{"a", "", std::string(5u << 20, 'b'), "c", "", "d"};
  for (const auto& frame : frames) {
    client->stream->send(frame);
    server->stream->send(frame + "!");
  }
  for (const auto& frame : frames) {
    CHECK(server->frames.next() == frame);
    CHECK(client->frames.next() == frame + "!");
  }
}

TEST_CASE("frames sent from other threads keep the order of each") {
  constexpr int count = 10'000;
  frame_fixture fixture;
  auto client = fixture.connect();
  auto server = fixture.accepted.next();
  auto send_all = [&](char name) {
    for (int i = 0; i < count; ++i)
      client->stream->send(name + std::to_string(i));
  };
  std::thread a{send_all, 'a'};
  std::thread b{send_all, 'b'};
  std::map<char, int> next{{'a', 0}, {'b', 0}};
  for (int i = 0; i < 2 * count; ++i) {
    auto frame = server->frames.next();
    REQUIRE(frame.substr(1) == std::to_string(next[frame[0]]++));
  }
  a.join();
  b.join();
}

TEST_CASE("an address is told with its port, and bytes are counted with the heads of frames") {
  frame_fixture fixture;
  auto client = fixture.connect();
  auto server = fixture.accepted.next();
  CHECK(client->stream->remote() == "127.0.0.1:" + std::to_string(fixture.listener->port()));
  CHECK(server->stream->remote().starts_with("127.0.0.1:"));
  CHECK(server->stream->certificate_names().empty());
  client->stream->send("12345");
  server->frames.next();
  CHECK(server->stream->received_bytes() == 9);
  fixture.wait_until([&] { return client->stream->sent_bytes() == 9; });
  fixture.wait_until([&] { return client->stream->queued_bytes() == 0; });
}

TEST_CASE("a frame over the limit closes the stream with both sizes in the reason") {
  frame_fixture fixture{{.frames = {.max_frame_bytes = 100}}};
  raw_link link{fixture};
  link.client.send({"\0\0\0\x64", 4});
  link.client.send(std::string(100, 'x'));
  CHECK(link.server->frames.next().size() == 100);
  link.client.send({"\0\0\0\x65", 4});
  CHECK(link.server->closed.next() ==
        "the peer announced a frame of 101 bytes, over the limit of 100");
  CHECK(link.client.closes_within(patience));
}

TEST_CASE("the limit for frames can be raised once the peer is known") {
  frame_fixture fixture{{.frames = {.max_frame_bytes = 5}}};
  auto client = fixture.connect();
  auto server = fixture.accepted.next();
  client->stream->send("hello");
  server->frames.next();
  server->stream->set_max_frame_bytes(100);
  client->stream->send(std::string(100, 'x'));
  CHECK(server->frames.next().size() == 100);
  client->stream->send(std::string(101, 'x'));
  CHECK(server->closed.next().find("over the limit of 100") != std::string::npos);
}

TEST_CASE("reading pauses while too much is not consumed, and goes on after") {
  constexpr std::size_t cost = 1'000 + frame_stream::unread_cost_of_frame;
  frame_fixture fixture{{.frames = {.max_unread_bytes = 2 * cost}}, false};
  auto client = fixture.connect();
  auto server = fixture.accepted.next();
  for (char c = '0'; c <= '9'; ++c)
    client->stream->send(std::string(1'000, c));
  fixture.wait_until([&] { return client->stream->queued_bytes() == 0; });
  fixture.settle();
  // The first that is over the limit is the last.
  CHECK(server->frames.size() == 3);
  server->stream->consumed(1'000);
  fixture.settle();
  CHECK(server->frames.size() == 4);
  server->stream->consumed(3'000, 3);
  for (char c = '0'; c <= '9'; ++c) {
    CHECK(server->frames.next() == std::string(1'000, c));
    if (c >= '4')
      server->stream->consumed(1'000);
  }
}

TEST_CASE("empty frames are not free: they pause the reading too") {
  frame_fixture fixture{{.frames = {.max_unread_bytes = 10 * frame_stream::unread_cost_of_frame}},
                        false};
  auto client = fixture.connect();
  auto server = fixture.accepted.next();
  for (int i = 0; i < 100; ++i)
    client->stream->send("");
  fixture.wait_until([&] { return client->stream->queued_bytes() == 0; });
  fixture.settle();
  CHECK(server->frames.size() == 11);
}

TEST_CASE("a receiver that is slower than its sender gets everything, and never much at a time") {
  constexpr std::size_t size = 100u << 10;
  constexpr std::size_t limit = 4 * size;
  constexpr int count = 200;
  frame_fixture fixture{{.frames = {.max_unread_bytes = limit}}, false};
  auto client = fixture.connect();
  auto server = fixture.accepted.next();
  for (int i = 0; i < count; ++i)
    client->stream->send(std::string(size, static_cast<char>(i)));
  for (int i = 0; i < count; ++i) {
    CHECK(server->frames.next() == std::string(size, static_cast<char>(i)));
    CHECK(server->frames.size() <= 5);
    server->stream->consumed(size);
  }
}

TEST_CASE("a peer that takes nothing is closed once too much is queued for it") {
  deaf_server peer;
  frame_fixture fixture;
  auto client =
      fixture.connect({.port = peer.server.port(), .frames = {.max_queued_bytes = 32u << 20}});
  for (int i = 0; i < 64; ++i)
    client->stream->send(std::string(1u << 20, 'x'));
  auto reason = client->closed.next();
  CHECK(reason.starts_with("the peer is too slow: "));
  CHECK(reason.ends_with("over the limit of 33554432"));
  CHECK(client->stream->queued_bytes() == 0);
}

TEST_CASE("TLS at a plain listener is closed, and both sides are told") {
  frame_fixture fixture;
  raw_link link{fixture};
  link.client.send({"\x16\x03\x01\x02\x00\x01", 6});
  CHECK(link.server->closed.next() == "the peer speaks TLS, and this side does not");
}

TEST_CASE("noise at a plain listener is closed") {
  frame_fixture fixture;
  raw_link link{fixture};
  CHECK(link.client.send_until_closed(std::string(1'024, '\xa5'), 1'024) <= 1u << 20);
  CHECK(link.server->closed.next().find("over the limit") != std::string::npos);
  CHECK(link.client.closes_within(patience));
}

TEST_CASE("a peer that ends between frames, within one, or by a reset, is told apart") {
  frame_fixture fixture;
  raw_link between{fixture};
  between.client.send({"\0\0\0\1x", 5});
  between.client.close();
  CHECK(between.server->closed.next() == "the peer closed the connection");
  CHECK(between.server->frames.next() == "x");
  for (std::string_view part : {std::string_view{"\0\0", 2}, std::string_view{"\0\0\0\2x", 5}}) {
    raw_link within{fixture};
    within.client.send(part);
    within.client.close();
    CHECK(within.server->closed.next() ==
          "the peer closed the connection in the middle of a frame");
    CHECK(within.server->frames.size() == 0);
  }
  raw_link reset{fixture};
  reset.client.reset();
  CHECK(reset.server->closed.next() == "the connection was lost: Connection reset by peer");
}

TEST_CASE("what is queued is written before the close, and nothing is taken after it") {
  frame_fixture fixture{{.frames = {.max_frame_bytes = 16u << 20}}};
  auto client = fixture.connect({.frames = {.close_patience = patience}});
  auto server = fixture.accepted.next();
  client->stream->send(std::string(16u << 20, 'x'));
  client->stream->send("last");
  client->stream->close();
  client->stream->send("too late");
  client->stream->close();
  CHECK(server->frames.next().size() == 16u << 20);
  CHECK(server->frames.next() == "last");
  CHECK(server->closed.next() == "the peer closed the connection");
  CHECK(client->closed.next().empty());
  fixture.settle();
  CHECK(server->frames.size() == 0);
  CHECK(client->closed.size() == 0);
}

TEST_CASE("after a close no frame is handed over, and what comes does not disturb it") {
  frame_fixture fixture;
  auto client = fixture.connect({.frames = {.close_patience = patience}});
  auto server = fixture.accepted.next();
  client->stream->close();
  for (int i = 0; i < 100; ++i)
    server->stream->send("ignored");
  server->stream->close();
  CHECK(client->closed.next().empty());
  CHECK(client->frames.size() == 0);
}

TEST_CASE(
    "a close from inside a frame's handler is the end of frames, of those that are read too") {
  event_loop loop;
  std::shared_ptr<frame_stream> stream;
  arrivals<std::string> frames;
  arrivals<std::string> closed;
  frame_listener listener{loop.context(),
                          {},
                          [&](std::shared_ptr<frame_stream> accepted) {
                            stream = std::move(accepted);
                            stream->start(
                                [&](std::string content) {
                                  stream->close();
                                  frames.put(std::move(content));
                                },
                                [&](std::string reason) { closed.put(std::move(reason)); });
                          },
                          [](const auto&...) {}};
  auto client = raw_socket::connect(listener.port());
  client.send({"\0\0\0\1a\0\0\0\1b", 10});
  CHECK(frames.next() == "a");
  client.close();
  CHECK(closed.next().empty());
  CHECK(frames.size() == 0);
  run_on_loop(loop.context(), [&] { stream = nullptr; });
}

TEST_CASE("the patience of a close ends, if the peer does not take what is queued") {
  deaf_server peer;
  frame_fixture fixture;
  auto client = fixture.connect({.port = peer.server.port(), .frames = {.close_patience = 20ms}});
  for (int i = 0; i < 32; ++i)
    client->stream->send(std::string(1u << 20, 'x'));
  client->stream->close();
  CHECK(client->closed.next().empty());
}

TEST_CASE("a stream that ended before it was started says so") {
  event_loop loop;
  arrivals<std::shared_ptr<frame_stream>> accepted;
  arrivals<std::string> closed;
  frame_listener listener{loop.context(),
                          {.frames = {.max_queued_bytes = 1}},
                          [&](auto stream) { accepted.put(std::move(stream)); },
                          [](const auto&...) {}};
  auto client = raw_socket::connect(listener.port());
  auto stream = accepted.next();
  stream->send("too much");
  CHECK(client.closes_within(patience));
  run_on_loop(loop.context(), [&] {
    stream->start([](const auto&) {}, [&](std::string reason) { closed.put(std::move(reason)); });
  });
  CHECK(closed.next().starts_with("the peer is too slow"));
}

TEST_CASE("an address where nobody listens is told, with the reason") {
  frame_fixture fixture;
  auto port = unused_port();
  CHECK(fixture.dial({.port = port}).reason ==
        "cannot connect to 127.0.0.1:" + std::to_string(port) + ": Connection refused");
}

TEST_CASE("an address that cannot be listened on is told") {
  event_loop loop;
  CHECK_THROWS_WITH(
      (frame_listener{
          loop.context(), {.address = "192.0.2.1"}, [](const auto&) {}, [](const auto&...) {}}),
      Catch::Contains("cannot listen on 192.0.2.1:0"));
}

TEST_CASE("the loop may end, and all go, in the middle of everything") {
  end_ptr server;
  end_ptr client;
  frame_fixture fixture{{}, false};
  client = fixture.connect();
  server = fixture.accepted.next();
  for (int i = 0; i < 40; ++i)
    client->stream->send(std::string(1u << 20, 'x'));
  server->frames.next();
  server->stream->close();
  fixture.start_dial();
  fixture.loop.stop();
  client = nullptr;
  server = nullptr;
}
