// What the client makes of the answers that servers give, good and bad.
#include "tests/net/client_fixture.hpp"

using namespace rolecall::net;
using namespace rolecall::net::test;
using namespace std::chrono_literals;

namespace {

/// Answers every connection's first request with the same bytes, and closes.
raw_server::script answering(std::string bytes) {
  return [bytes = std::move(bytes)](raw_socket& socket, int) {
    socket.read_until("\r\n\r\n");
    socket.send(bytes);
  };
}

http_failure failure_after(const std::string& bytes) {
  raw_server server{answering(bytes)};
  client_fixture fixture;
  return failure_of(fixture.get(server.url()));
}

http_response response_after(const std::string& bytes) {
  raw_server server{answering(bytes)};
  client_fixture fixture;
  return response_of(fixture.get(server.url()));
}

} // namespace

TEST_CASE("a request is sent with its own headers and those of the client, its body after them") {
  std::promise<std::string> seen;
  raw_server server{[&](raw_socket& socket, int) {
    auto head = socket.read_until("\r\n\r\n");
    seen.set_value(head + socket.read(5));
    socket.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  }};
  client_fixture fixture{{.user_agent = "tests"}};
  response_of(fixture.call({.method = "PUT",
                            .url = server.url("/a?b=c"),
                            .headers = {{"X-One", "1"}},
                            .body = shared_body("hello")}));
  CHECK(seen.get_future().get() ==
        "PUT /a?b=c HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(server.port()) +
            "\r\nUser-Agent: tests\r\nX-One: 1\r\n"
            "Content-Length: 5\r\n\r\nhello");
}

TEST_CASE("a response gives its status, its headers and its body") {
  auto response =
      response_after("HTTP/1.1 404 Gone fishing\r\nX-A: b\r\nContent-Length: 3\r\n\r\nabc");
  CHECK(response.status == 404);
  CHECK(find_header(response.headers, "x-a") == "b");
  CHECK(response.body == "abc");
}

TEST_CASE("a redirect is a response like any other") {
  auto response = response_after("HTTP/1.1 302 Found\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n");
  CHECK(response.status == 302);
  CHECK(find_header(response.headers, "location") == "/b");
}

TEST_CASE("a chunked response is decoded") {
  CHECK(response_after("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                       "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")
            .body == "abcde");
}

TEST_CASE("an HTTP/1.0 response lasts until the connection is closed") {
  CHECK(response_after("HTTP/1.0 200 OK\r\n\r\nall of it").body == "all of it");
}

TEST_CASE("interim responses are skipped") {
  CHECK(response_after("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
                       "HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\nok")
            .status == 201);
}

TEST_CASE("a response to HEAD has no body, whatever length it tells") {
  raw_server server{answering("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")};
  client_fixture fixture;
  auto response = response_of(fixture.call({.method = "HEAD", .url = server.url()}));
  CHECK(response.body.empty());
  CHECK(find_header(response.headers, "content-length") == "1000");
}

TEST_CASE("a response that comes before the request has been written is taken") {
  raw_server server{[](raw_socket& socket, int) {
    socket.read_until("\r\n\r\n");
    socket.send("HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n");
    socket.closes_within(patience);
  }};
  client_fixture fixture;
  auto response = response_of(fixture.call(
      {.method = "POST", .url = server.url(), .body = shared_body(std::string(32u << 20, 'x'))}));
  CHECK(response.status == 413);
}

TEST_CASE("a server that closes without a word loses the connection") {
  raw_server server{[](raw_socket& socket, int) { socket.read_until("\r\n\r\n"); }};
  client_fixture fixture;
  auto failure = failure_of(fixture.get(server.url()));
  CHECK(failure.code == http_errc::connection_lost);
  CHECK(failure.message ==
        "127.0.0.1:" + std::to_string(server.port()) + " closed the connection without an answer");
}

TEST_CASE("a reset is told in the system's words") {
  raw_server server{[](raw_socket& socket, int) {
    socket.read_until("\r\n\r\n");
    socket.send("HTTP/1.1 200 OK\r\n");
    socket.reset();
  }};
  client_fixture fixture;
  auto failure = failure_of(fixture.get(server.url()));
  CHECK(failure.code == http_errc::connection_lost);
  CHECK(failure.message.find("Connection reset by peer") != std::string::npos);
}

TEST_CASE("half an answer is a lost connection") {
  for (const auto* half :
       {"HTTP/1.1 200 OK\r\nContent-Le", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel"})
    CHECK(failure_after(half).code == http_errc::connection_lost);
}

TEST_CASE("an answer that is no HTTP is malformed, and none of it is told") {
  for (const auto* text :
       {"SSH-2.0-secret\r\n", "HTTP/1.1 abc\r\n\r\n", "HTTP/1.1 200 OK\r\nsecret\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nsecret\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nsecret",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\nsecret",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: secret\r\n\r\n"}) {
    INFO(text);
    auto failure = failure_after(text);
    CHECK(failure.code == http_errc::malformed);
    CHECK(failure.message.find("127.0.0.1:") != std::string::npos);
    CHECK(failure.message.find("secret") == std::string::npos);
  }
}

TEST_CASE("a head over the limit is malformed") {
  raw_server server{[](raw_socket& socket, int) {
    socket.read_until("\r\n\r\n");
    socket.send_until_closed("HTTP/1.1 200 OK\r\nX: ", 1);
    socket.send_until_closed(std::string(64u << 10, 'x'), 1'000);
  }};
  client_fixture fixture;
  CHECK(failure_of(fixture.get(server.url())).code == http_errc::malformed);
}

TEST_CASE("a body of ten gigabytes is refused by its length") {
  CHECK(failure_after("HTTP/1.1 200 OK\r\nContent-Length: 10737418240\r\n\r\n").code ==
        http_errc::too_large);
}

TEST_CASE("an endless body is cut off at the limit, chunked or not") {
  auto chunked = GENERATE(true, false);
  std::promise<std::size_t> sent;
  raw_server server{[&](raw_socket& socket, int) {
    socket.read_until("\r\n\r\n");
    auto block = std::string(4096, 'x');
    socket.send(chunked ? "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                        : "HTTP/1.1 200 OK\r\n\r\n");
    // Ten gigabytes, were they taken.
    sent.set_value(
        socket.send_until_closed(chunked ? "1000\r\n" + block + "\r\n" : block, 2'621'440));
  }};
  client_fixture fixture;
  auto failure =
      failure_of(fixture.call({.url = server.url(), .max_body_bytes = std::size_t{1} << 20}));
  CHECK(failure.code == http_errc::too_large);
  CHECK(sent.get_future().get() < (64u << 20));
}

TEST_CASE("a request that would change the shape of the message is not sent") {
  raw_server server{answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")};
  client_fixture fixture;
  std::vector<http_request> bad{{.method = "GET / HTTP/1.1\r\nX:", .url = server.url()},
                                {.method = "", .url = server.url()},
                                {.url = server.url("/\r\nX: y")},
                                {.url = server.url(), .headers = {{"A\r\nB", "secret"}}},
                                {.url = server.url(), .headers = {{"", "secret"}}},
                                {.url = server.url(), .headers = {{"A", "secret\r\nB: c"}}},
                                {.url = server.url(), .headers = {{"A", "secret\n"}}},
                                {.url = server.url(), .headers = {{"content-length", "secret"}}},
                                {.url = server.url(), .headers = {{"Host", "secret"}}}};
  for (auto& request : bad) {
    auto failure = failure_of(fixture.call(request));
    CHECK(failure.code == http_errc::invalid_request);
    CHECK(failure.message.find("secret") == std::string::npos);
  }
  CHECK(server.accepted() == 0);
}

TEST_CASE("a response tells when its first byte came, from the start of the call") {
  std::promise<std::chrono::steady_clock::time_point> first_piece;
  auto seen = first_piece.get_future().share();
  raw_server server{[&](raw_socket& socket, int) {
    socket.read_until("\r\n\r\n");
    socket.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\na");
    seen.wait();
    socket.send("b");
  }};
  client_fixture fixture;
  auto begin = std::chrono::steady_clock::now();
  bool first = true; // the callback is copied, so what it remembers is outside of it
  auto response =
      response_of(fixture.call({.url = server.url(), .on_data = [&](std::string_view) {
                                  if (std::exchange(first, false))
                                    first_piece.set_value(std::chrono::steady_clock::now());
                                }}));
  CHECK(response.first_byte > 0us);
  CHECK(response.first_byte <= seen.get() - begin);
}

TEST_CASE("a failure has what had come of the response") {
  SECTION("half a body") {
    auto partial = failure_after("HTTP/1.1 503 X\r\nContent-Length: 10\r\n\r\nhalf").partial;
    CHECK(partial.status == 503);
    CHECK(partial.body == "half");
    CHECK(partial.first_byte > 0us);
  }
  SECTION("half a chunk") {
    auto partial =
        failure_after("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel").partial;
    CHECK(partial.status == 200);
    CHECK(partial.body == "hel");
  }
  SECTION("half a head") {
    auto partial = failure_after("HTTP/1.1 200 OK\r\nX-A: b\r\n").partial;
    CHECK(partial.status == 0);
    CHECK(partial.body.empty());
    CHECK(partial.first_byte > 0us);
  }
  SECTION("no byte") {
    auto partial = failure_after("").partial;
    CHECK(partial.status == 0);
    CHECK(partial.first_byte == 0us);
  }
  SECTION("a body over the limit") {
    raw_server server{answering("HTTP/1.1 200 OK\r\n\r\n" + std::string(5'000, 'x'))};
    client_fixture fixture;
    auto failure = failure_of(fixture.call({.url = server.url(), .max_body_bytes = 1'000}));
    CHECK(failure.code == http_errc::too_large);
    CHECK(failure.partial.status == 200);
    CHECK(failure.partial.body.size() <= 1'000);
  }
}

TEST_CASE("so has a call that runs out of time, and its connection is closed") {
  std::promise<bool> closed;
  raw_server server{[&](raw_socket& socket, int) {
    socket.read_until("\r\n\r\n");
    socket.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
    closed.set_value(socket.closes_within(patience));
  }};
  client_fixture fixture;
  auto failure = failure_of(fixture.call({.url = server.url(), .timeout = 2s}));
  CHECK(failure.code == http_errc::timeout);
  CHECK(failure.partial.status == 200);
  CHECK(failure.partial.body == "half");
  CHECK(closed.get_future().get());
}
