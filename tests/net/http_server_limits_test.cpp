// What the server refuses, and what it does not wait for.
#include "tests/net/server_fixture.hpp"

using namespace rolecall::net;
using namespace rolecall::net::test;
using namespace std::chrono_literals;

namespace {

void check_refusal(const std::string& response, int status, const std::string& code) {
  INFO(response);
  CHECK(response.starts_with("HTTP/1.1 " + std::to_string(status) + " "));
  CHECK(response.find("Content-Type: application/json\r\n") != std::string::npos);
  CHECK(response.find("Connection: close\r\n") != std::string::npos);
  CHECK(response.find(R"({"error":{"code":")" + code + R"(","message":")") != std::string::npos);
}

/// A handler that must not be reached: no refusal looks like this.
void unreachable(const exchange_ptr& exchange) {
  exchange->respond({200, {}, "it got through"});
}

} // namespace

TEST_CASE("malformed requests and the shapes of request smuggling are refused") {
  server_fixture fixture{unreachable};
  for (const auto* request :
       {"nonsense\r\n\r\n", "\x16\x03\x01\x02", "GET / HTTP/1.1\nHost: h\n\n",
        "GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        "GET a HTTP/1.1\r\nHost: h\r\n\r\n", "GET /#f HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET * HTTP/1.1\r\nHost: h\r\n\r\n", "GET / HTTP/1.1\r\nHost : h\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: identity\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"}) {
    INFO(request);
    check_refusal(fixture.answer(request), 400, "malformed_request");
  }
}

TEST_CASE("another version of HTTP is refused as such") {
  server_fixture fixture{unreachable};
  check_refusal(fixture.answer("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 505, "version_not_supported");
}

TEST_CASE("an expectation that cannot be met is refused") {
  server_fixture fixture{unreachable};
  check_refusal(fixture.answer("POST / HTTP/1.1\r\nHost: h\r\nExpect: wonders\r\n"
                               "Content-Length: 1\r\n\r\n"),
                417, "expectation_failed");
}

TEST_CASE("a head over the limit is refused, and so is one that does not end") {
  server_fixture fixture{unreachable, {.max_head_bytes = 1'000}};
  std::string start = "GET / HTTP/1.1\r\nHost: h\r\nX: " + std::string(1'000, 'x');
  check_refusal(fixture.answer(start + "\r\n\r\n"), 431, "head_too_large");
  check_refusal(fixture.answer(start), 431, "head_too_large");
}

TEST_CASE("a body over the limit is refused before it is read") {
  server_fixture fixture{unreachable, {.max_body_bytes = 1'000}};
  std::string head = "POST / HTTP/1.1\r\nHost: h\r\n";
  check_refusal(fixture.answer(head + "Content-Length: 1001\r\n\r\n"), 413, "body_too_large");
  check_refusal(fixture.answer(head + "Expect: 100-continue\r\nContent-Length: 1001\r\n\r\n"), 413,
                "body_too_large");
  check_refusal(fixture.answer(head + "Transfer-Encoding: chunked\r\n\r\n3e9\r\n"), 413,
                "body_too_large");
}

TEST_CASE("a client that sends its large body regardless still reads why it was refused") {
  server_fixture fixture{unreachable, {.max_body_bytes = 1'000}};
  auto client = fixture.connect();
  client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n");
  client.send_until_closed(std::string(100'000, 'x'), 10);
  check_refusal(client.read_to_end(), 413, "body_too_large");
}

TEST_CASE("a body at the limit is taken") {
  server_fixture fixture{echo, {.max_body_bytes = 4}};
  CHECK(fixture.answer("POST / HTTP/1.0\r\nContent-Length: 4\r\n\r\nbody").ends_with("body"));
}

TEST_CASE("a head that comes one byte at a time runs into its timeout") {
  server_fixture fixture{unreachable, {.head_timeout = 100ms}};
  auto client = fixture.connect();
  client.send("GET / HTTP/1.1\r\nX: ");
  // The answer is thrown away by the wait, so another client looks at it below.
  while (!client.closes_within(10ms))
    client.send_until_closed("x", 1);
  check_refusal(fixture.answer("GET /"), 408, "head_timeout");
}

TEST_CASE("a body that comes one byte at a time runs into its timeout") {
  server_fixture fixture{unreachable, {.body_timeout = 100ms}};
  const std::string head = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n";
  auto client = fixture.connect();
  client.send(head);
  while (!client.closes_within(10ms))
    client.send_until_closed("x", 1);
  check_refusal(fixture.answer(head), 408, "body_timeout");
}

TEST_CASE("a client that says nothing is closed on after the idle timeout, without a word") {
  server_fixture fixture{echo, {.idle_timeout = 100ms}};
  CHECK(fixture.answer("").empty());
  CHECK(fixture.answer("\r\n").empty());
}

TEST_CASE("a kept connection is closed after the idle timeout") {
  server_fixture fixture{echo, {.idle_timeout = 100ms}};
  auto client = fixture.connect();
  client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  CHECK(client.read_response().ends_with("GET /? "));
  CHECK(client.read_to_end().empty());
}

TEST_CASE("neither timeout passes while a handler works") {
  exchange_queue queue;
  server_fixture fixture{queue.handler(),
                         {.head_timeout = 500ms, .body_timeout = 500ms, .idle_timeout = 500ms}};
  auto client = fixture.connect();
  client.send("POST / HTTP/1.0\r\nContent-Length: 1\r\n\r\nx");
  auto exchange = queue.next();
  CHECK_FALSE(client.closes_within(1'500ms));
  echo(exchange);
  CHECK(client.read_to_end().ends_with("POST /? x"));
}

TEST_CASE("a client that does not read its response is closed on") {
  event asked;
  event gone;
  std::string large(64u << 20, 'x');
  server_fixture fixture{[&large, told = asked.setter()](const exchange_ptr& exchange) {
                           exchange->respond({200, {}, large});
                           told();
                         },
                         {.write_timeout = 100ms}};
  auto client = fixture.connect(4'096);
  client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  CHECK(asked.happens()); // else nothing is under way yet
  fixture.server->close(patience, gone.setter());
  CHECK(gone.happens());
  CHECK(client.read_to_end().size() < large.size());
}

TEST_CASE("past the bound, the connection that has been silent the longest makes room") {
  server_fixture fixture{echo, {.max_connections = 2}};
  auto one = fixture.connect();
  auto two = fixture.connect();
  for (auto* client : {&one, &two}) {
    client->send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    client->read_response();
  }
  CHECK(fixture.answer("GET / HTTP/1.0\r\n\r\n").ends_with("GET /? "));
  CHECK(one.read_to_end().empty());
  two.send("GET /again HTTP/1.0\r\n\r\n");
  CHECK(two.read_to_end().ends_with("GET /again? "));
}

TEST_CASE("connections past the bound are closed on accept if the others have work") {
  exchange_queue exchanges;
  server_fixture fixture{exchanges.handler(), {.max_connections = 1}};
  auto one = fixture.connect();
  one.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  auto exchange = exchanges.next();
  CHECK(fixture.connect().read_to_end().empty());
  exchange->respond({204, {}, {}});
  CHECK(one.read_response().starts_with("HTTP/1.1 204"));
}

TEST_CASE("silent connections do not keep others from being served") {
  server_fixture fixture;
  std::vector<raw_socket> silent;
  silent.reserve(300);
  for (int i = 0; i < 300; ++i)
    silent.push_back(fixture.connect());
  CHECK(fixture.answer("GET / HTTP/1.0\r\n\r\n").ends_with("GET /? "));
}
