// Requests and responses, as they should be.
#include "tests/net/server_fixture.hpp"

#include "net/http.hpp"

#include <thread>

using namespace rolecall::net;
using namespace rolecall::net::test;
using namespace std::chrono_literals;

namespace {

std::string get(const std::string& path, const std::string& headers = {}) {
  std::string text{"GET "};
  return text.append(path).append(" HTTP/1.1\r\nHost: h\r\n").append(headers).append("\r\n");
}

std::string numbered(int number) {
  return std::string{"/"}.append(std::to_string(number));
}

const std::string last = "Connection: close\r\n";

} // namespace

TEST_CASE("a handler sees the method, the path, the query, the headers and the body") {
  exchange_queue queue;
  server_fixture fixture{queue.handler()};
  auto client = fixture.connect();
  client.send(
      "PATCH /a%20b/c?d=e?f HTTP/1.1\r\nHost: h\r\nX-One: 1\r\nContent-Length: 4\r\n\r\nbody");
  auto exchange = queue.next();
  CHECK(exchange->method() == "PATCH");
  CHECK(exchange->path() == "/a%20b/c");
  CHECK(exchange->query() == "d=e?f");
  CHECK(find_header(exchange->headers(), "x-one") == "1");
  CHECK(exchange->body() == "body");
}

TEST_CASE("a response has its status, the server's headers and its own, and its body") {
  server_fixture fixture{[](const exchange_ptr& exchange) {
    exchange->respond({404, {{"X-A", "b"}, {"content-length", "999"}, {"Date", "never"}}, "gone"});
  }};
  auto client = fixture.connect();
  client.send(get("/"));
  auto response = client.read_response();
  CHECK(response.starts_with("HTTP/1.1 404 Not Found\r\nDate: "));
  CHECK(response.find(" GMT\r\nX-A: b\r\nContent-Length: 4\r\n\r\ngone") != std::string::npos);
  CHECK(response.find("999") == std::string::npos);
  CHECK(response.find("never") == std::string::npos);
}

TEST_CASE(
    "two servers on loops of their own share an address, and each goes on without the other") {
  server_fixture fixture;
  event_loop loop;
  auto second = std::make_unique<http_server>(loop.context(), *fixture.server, echo);
  CHECK(second->port() == fixture.server->port());
  auto port = second->port();
  auto answers = [&] {
    auto client = raw_socket::connect(port);
    client.send(get("/x", last));
    return client.read_to_end().ends_with("GET /x? ");
  };
  for (int i = 0; i < 20; ++i)
    CHECK(answers());
  auto first_goes = GENERATE(true, false);
  if (first_goes)
    fixture.server.reset();
  else
    second.reset();
  for (int i = 0; i < 20; ++i)
    CHECK(answers());
}

TEST_CASE("servers that share an address share the bound on connections") {
  http_server_options options;
  options.max_connections = 4;
  exchange_queue queue; // no exchange is answered: none of the connections makes room
  server_fixture fixture{queue.handler(), options};
  event_loop loop;
  http_server second{loop.context(), *fixture.server, queue.handler()};
  std::vector<raw_socket> open;
  std::vector<exchange_ptr> asked;
  for (int i = 0; i < 4; ++i) {
    open.push_back(fixture.connect());
    open.back().send(get("/"));
    asked.push_back(queue.next());
  }
  CHECK(fixture.connect().read_to_end().empty());
}

TEST_CASE("a chunked request is decoded") {
  server_fixture fixture;
  CHECK(fixture
            .answer("POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"
                    "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n")
            .ends_with("POST /? abcd"));
}

TEST_CASE("a connection carries request after request, and closes when it is asked to") {
  server_fixture fixture;
  auto client = fixture.connect();
  for (const auto* path : {"/1", "/2", "/3"}) {
    client.send(get(path));
    CHECK(client.read_response().ends_with("GET " + std::string{path} + "? "));
  }
  client.send(get("/4", last));
  auto response = client.read_to_end();
  CHECK(response.find("Connection: close\r\n") != std::string::npos);
  CHECK(response.ends_with("GET /4? "));
}

TEST_CASE("an HTTP/1.0 client is closed on, unless it asks to be kept") {
  server_fixture fixture;
  CHECK(fixture.answer("GET /a HTTP/1.0\r\n\r\n").ends_with("GET /a? "));
  auto client = fixture.connect();
  client.send("GET /b HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  CHECK(client.read_response().find("Connection: keep-alive\r\n") != std::string::npos);
  client.send("GET /c HTTP/1.0\r\n\r\n");
  CHECK(client.read_to_end().ends_with("GET /c? "));
}

TEST_CASE("a response to HEAD tells the body's length and leaves the body out") {
  server_fixture fixture;
  auto client = fixture.connect();
  client.send("HEAD /abc HTTP/1.1\r\nHost: h\r\n\r\n");
  auto head = client.read_until("\r\n\r\n");
  CHECK(head.find("Content-Length: 11\r\n") != std::string::npos);
  client.send(get("/x"));
  CHECK(client.read_response().starts_with("HTTP/1.1 200 OK\r\n"));
}

TEST_CASE("a 204 has neither a body nor a length") {
  server_fixture fixture{[](const exchange_ptr& exchange) {
    exchange->respond({204, {}, "not sent"});
  }};
  auto response = fixture.answer(get("/", last));
  CHECK(response.starts_with("HTTP/1.1 204 No Content\r\n"));
  CHECK(response.ends_with("\r\n\r\n"));
  CHECK(response.find("Content-Length") == std::string::npos);
}

TEST_CASE("pipelined requests are handled one after the other, and answered in order") {
  exchange_queue queue;
  server_fixture fixture{queue.handler()};
  auto client = fixture.connect();
  client.send(get("/1") + "POST /2 HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc" +
              get("/3", last));
  auto first = queue.next();
  CHECK(queue.empty());
  echo(first);
  echo(queue.next());
  echo(queue.next());
  auto all = client.read_to_end();
  auto one = all.find("GET /1? ");
  auto two = all.find("POST /2? abc");
  auto three = all.find("GET /3? ");
  CHECK(one < two);
  CHECK(two < three);
  CHECK(three != std::string::npos);
}

TEST_CASE("many pipelined requests, more than are read ahead, are all answered") {
  exchange_queue queue;
  server_fixture fixture{queue.handler()};
  auto client = fixture.connect();
  constexpr int count = 2'000;
  std::thread sender{[&] {
    for (int i = 1; i < count; ++i)
      client.send(get(numbered(i), "X: " + std::string(500, 'x') + "\r\n"));
    client.send(get(numbered(count), last));
  }};
  for (int i = 1; i <= count; ++i) {
    auto exchange = queue.next();
    CHECK(exchange->path() == numbered(i));
    exchange->respond({200, {}, ""});
  }
  sender.join();
  CHECK(client.read_to_end().find("Connection: close") != std::string::npos);
}

TEST_CASE("a request that comes byte by byte is the same request") {
  server_fixture fixture;
  auto client = fixture.connect();
  std::string_view request{
      "PUT /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"};
  for (std::size_t i = 0; i < request.size(); ++i)
    client.send(request.substr(i, 1));
  CHECK(client.read_to_end().ends_with("PUT /a? ok"));
}

TEST_CASE("a client that expects 100-continue is told to send its body") {
  server_fixture fixture;
  auto client = fixture.connect();
  client.send("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-Continue\r\nContent-Length: 2\r\n\r\n");
  CHECK(client.read_until("\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("ok");
  CHECK(client.read_response().ends_with("POST /? ok"));
}

TEST_CASE("an absolute request target is cut down to its path") {
  server_fixture fixture;
  CHECK(fixture.answer(get("http://elsewhere:80/a?b", last)).ends_with("GET /a?b "));
}

TEST_CASE("large bodies go both ways whole") {
  server_fixture fixture;
  std::string body(8u << 20, 'x');
  for (std::size_t i = 0; i < body.size(); i += 1'001)
    body[i] = static_cast<char>('a' + i % 26);
  auto client = fixture.connect();
  std::thread sender{[&] {
    client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(body.size()) +
                "\r\n\r\n" + body);
  }};
  sender.join();
  CHECK(client.read_response().ends_with("POST /? " + body));
}

TEST_CASE("an exchange may be answered from another thread, and only its first answer counts") {
  exchange_queue queue;
  server_fixture fixture{queue.handler()};
  auto client = fixture.connect();
  client.send(get("/", last));
  std::thread{[exchange = queue.next()] {
    exchange->respond({201, {}, "first"});
    exchange->respond({202, {}, "second"});
  }}.join();
  auto response = client.read_to_end();
  CHECK(response.starts_with("HTTP/1.1 201 Created\r\n"));
  CHECK(response.ends_with("\r\n\r\nfirst"));
}

TEST_CASE("an exchange that is dropped without an answer sends 500") {
  server_fixture fixture{[](const exchange_ptr&) {}};
  auto client = fixture.connect();
  client.send(get("/"));
  auto response = client.read_response();
  CHECK(response.starts_with("HTTP/1.1 500 "));
  CHECK(response.find("Content-Type: application/json\r\n") != std::string::npos);
  CHECK(response.find(R"({"error":{"code":"internal_error",)") != std::string::npos);
}

TEST_CASE("a response that cannot be sent as it is becomes a 500") {
  for (const auto& bad : std::vector<http_response>{{200, {{"A", "b\r\nSet-Cookie: c"}}, ""},
                                                    {200, {{"A\n", "b"}}, ""},
                                                    {100, {}, ""},
                                                    {0, {}, ""}}) {
    server_fixture fixture{[&](const exchange_ptr& exchange) { exchange->respond(bad); }};
    auto response = fixture.answer(get("/", last));
    CHECK(response.starts_with("HTTP/1.1 500 "));
    CHECK(response.find("Set-Cookie") == std::string::npos);
  }
}

TEST_CASE("a port that is taken is told with its address") {
  server_fixture fixture;
  event_loop loop;
  try {
    http_server second{loop.context(), {.port = fixture.server->port()}, echo};
    FAIL("it could listen");
  } catch (const boost::system::system_error& failure) {
    CHECK(std::string{failure.what()}.find("127.0.0.1:" + std::to_string(fixture.server->port())) !=
          std::string::npos);
  }
}
