#include "tests/net/server_fixture.hpp"

using namespace rolecall::net;
using namespace rolecall::net::test;
using namespace std::chrono_literals;
using state = body_piece::state;

namespace {

std::shared_ptr<const std::string> text(std::string value) {
  return std::make_shared<const std::string>(std::move(value));
}

http_server_options streaming(http_server_options options = {}) {
  options.streams_body = [](std::string_view method, std::string_view, const headers&) {
    return method == "POST";
  };
  return options;
}

/// Takes the body of an exchange piece by piece, for the test to look at.
struct body_reader {
  exchange_ptr exchange;

  body_piece next() {
    auto promise = std::make_shared<std::promise<body_piece>>();
    auto future = promise->get_future();
    exchange->read_body([promise](body_piece piece) { promise->set_value(std::move(piece)); });
    REQUIRE(future.wait_for(patience) == std::future_status::ready);
    return future.get();
  }

  std::pair<std::string, state> rest() {
    std::string all;
    for (;;) {
      auto piece = next();
      all += piece.data;
      if (piece.what != state::more)
        return {all, piece.what};
    }
  }
};

} // namespace

TEST_CASE("a streamed response goes out in chunks, and the connection is kept") {
  exchange_queue exchanges;
  server_fixture fixture{exchanges.handler()};
  auto client = fixture.connect();
  for (int i = 0; i < 2; ++i) {
    client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    auto stream = exchanges.next()->respond_streamed({200, {{"Content-Type", "text/plain"}}, {}});
    auto head = client.read_until("\r\n\r\n");
    CHECK(head.find("Transfer-Encoding: chunked\r\n") != std::string::npos);
    CHECK(head.find("Content-Length") == std::string::npos);
    CHECK(stream->write(text("one")));
    CHECK(client.read(8) == "3\r\none\r\n");
    CHECK(stream->write(text("twotwotwotwotwo!")));
    CHECK(stream->write(text("3")));
    stream->finish();
    CHECK(client.read_until("0\r\n\r\n") == "10\r\ntwotwotwotwotwo!\r\n1\r\n3\r\n0\r\n\r\n");
  }
}

TEST_CASE("an empty streamed response is whole, and one to HEAD or HTTP/1.0 fits its client") {
  auto handle = [](const exchange_ptr& exchange) {
    auto stream = exchange->respond_streamed({200, {}, {}});
    if (exchange->path() != "/empty")
      stream->write(text("body"));
    stream->finish();
  };
  server_fixture fixture{handle};
  auto last = [&](const std::string& line) {
    return fixture.answer(line + "\r\nHost: h\r\nConnection: close\r\n\r\n");
  };
  CHECK(last("GET /empty HTTP/1.1").ends_with("\r\n\r\n0\r\n\r\n"));
  CHECK(last("HEAD / HTTP/1.1").ends_with("\r\n\r\n"));
  CHECK(last("GET / HTTP/1.0").ends_with("\r\n\r\nbody"));
}

TEST_CASE("a streamed response that is dropped before its end cuts the connection") {
  exchange_queue exchanges;
  server_fixture fixture{exchanges.handler()};
  auto client = fixture.connect();
  client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  exchanges.next()->respond_streamed({200, {}, {}})->write(text("half"));
  CHECK_FALSE(client.read_to_end().ends_with("0\r\n\r\n"));
}

TEST_CASE("whoever streams learns that the client has gone") {
  exchange_queue exchanges;
  server_fixture fixture{exchanges.handler()};
  auto client = fixture.connect();
  client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  auto exchange = exchanges.next();
  auto stream = exchange->respond_streamed({200, {}, {}});
  event gone;
  exchange->on_disconnect(gone.setter());
  client.read_until("\r\n\r\n");
  CHECK_FALSE(gone.has_happened());
  client.close();
  CHECK(gone.happens());
  CHECK_FALSE(stream->write(text("more")));
}

TEST_CASE("what a slow reader does not take is counted, and told when it is taken") {
  exchange_queue exchanges;
  server_fixture fixture{exchanges.handler()};
  auto client = fixture.connect(4'096);
  client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  auto stream = exchanges.next()->respond_streamed({200, {}, {}});
  auto part = text(std::string(1u << 20, 'x'));
  constexpr int count = 32;
  for (int i = 0; i < count; ++i)
    CHECK(stream->write(part));
  CHECK(stream->backlog() > 0);
  event drained;
  stream->when_below(0, drained.setter());
  CHECK_FALSE(drained.has_happened());
  for (int i = 0; i < count; ++i)
    client.read(part->size() + 10);
  CHECK(drained.happens());
  CHECK(stream->backlog() == 0);
  stream->finish();
}

TEST_CASE("a reader that takes nothing for too long is cut off") {
  exchange_queue exchanges;
  server_fixture fixture{exchanges.handler(), {.write_timeout = 50ms}};
  auto client = fixture.connect(4'096);
  client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  auto exchange = exchanges.next();
  auto stream = exchange->respond_streamed({200, {}, {}});
  event gone;
  exchange->on_disconnect(gone.setter());
  for (int i = 0; i < 32; ++i)
    stream->write(text(std::string(1u << 20, 'x')));
  CHECK(gone.happens());
}

TEST_CASE("a body is handed over piece by piece, whatever its size and its framing") {
  exchange_queue exchanges;
  server_fixture fixture{exchanges.handler(), streaming({.max_body_bytes = 10})};
  auto client = fixture.connect();
  client.send("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 26\r\n\r\nabcdefghijklm");
  body_reader first{exchanges.next()};
  CHECK(first.next().data == "abcdefghijklm");
  client.send("nopqrstuvwxyz");
  CHECK(first.rest() == std::pair{std::string{"nopqrstuvwxyz"}, state::end});
  first.exchange->respond({200, {}, "done"});
  CHECK(client.read_response().ends_with("done"));

  client.send("POST /b HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
              "14\r\n01234567890123456789\r\n0\r\n\r\nGET /c HTTP/1.1\r\nHost: h\r\n\r\n");
  body_reader second{exchanges.next()};
  CHECK(second.rest() == std::pair{std::string{"01234567890123456789"}, state::end});
  second.exchange->respond({200, {}, "done"});
  CHECK(client.read_response().ends_with("done"));
  auto third = exchanges.next();
  CHECK(third->path() == "/c");
  third->respond({204, {}, {}});
}

TEST_CASE("a body that has been read already is handed over whole") {
  exchange_queue exchanges;
  server_fixture fixture{exchanges.handler(), streaming()};
  auto client = fixture.connect();
  client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n");
  body_reader empty{exchanges.next()};
  CHECK(empty.rest() == std::pair{std::string{}, state::end});
  empty.exchange->respond({204, {}, {}});
  client.read_until("\r\n\r\n");
  client.send("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nok");
  body_reader whole{exchanges.next()};
  CHECK(whole.rest() == std::pair{std::string{"ok"}, state::end});
}

TEST_CASE("a response may be streamed while the request still is") {
  exchange_queue exchanges;
  server_fixture fixture{exchanges.handler(), streaming()};
  auto client = fixture.connect();
  client.send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
  body_reader body{exchanges.next()};
  auto stream = body.exchange->respond_streamed({200, {}, {}});
  client.read_until("\r\n\r\n");
  for (std::string word : {"one", "two"}) {
    client.send("3\r\n" + word + "\r\n");
    CHECK(body.next().data == word);
    stream->write(text(word));
    CHECK(client.read(8) == "3\r\n" + word + "\r\n");
  }
  client.send("0\r\n\r\nGET /next HTTP/1.1\r\nHost: h\r\n\r\n");
  CHECK(body.next().what == state::end);
  stream->finish();
  CHECK(client.read_until("0\r\n\r\n") == "0\r\n\r\n");
  CHECK(exchanges.next()->path() == "/next");
}

TEST_CASE("a body that nobody asks for is not read") {
  exchange_queue exchanges;
  server_fixture fixture{exchanges.handler(), streaming()};
  auto client = fixture.connect();
  constexpr std::size_t size = 64u << 20; // more than the system keeps for both
  client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n");
  auto sent = std::async(std::launch::async, [&] { client.send(std::string(size, 'x')); });
  body_reader body{exchanges.next()};
  CHECK(sent.wait_for(100ms) == std::future_status::timeout);
  CHECK(body.rest().first.size() == size);
  sent.get();
}

TEST_CASE("a client that expects 100-continue hears it when the body is asked for, or never") {
  exchange_queue exchanges;
  server_fixture fixture{exchanges.handler(), streaming()};
  const std::string head =
      "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n";
  auto client = fixture.connect();
  client.send(head);
  body_reader body{exchanges.next()};
  auto told = std::async(std::launch::async, [&] { return body.rest(); });
  CHECK(client.read_until("\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("ok");
  CHECK(told.get().first == "ok");
  body.exchange->respond({200, {}, "done"});
  CHECK(client.read_response().starts_with("HTTP/1.1 200"));

  client.send(head); // answered while the body is still held back
  body_reader answered{exchanges.next()};
  auto stream = answered.exchange->respond_streamed({200, {}, {}});
  CHECK(client.read_until("\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n");
  CHECK(client.read_until("\r\n\r\n").starts_with("HTTP/1.1 200"));
  client.send("ok");
  CHECK(answered.rest().first == "ok");
  stream->finish();

  auto refused = fixture.connect();
  refused.send(head);
  exchanges.next()->respond({403, {}, "no"});
  auto answer = refused.read_to_end();
  CHECK(answer.starts_with("HTTP/1.1 403"));
  CHECK(answer.find("Connection: close") != std::string::npos);
}

TEST_CASE("a body that ends too early, is none, or does not come is told as such") {
  exchange_queue exchanges;
  server_fixture fixture{exchanges.handler(), streaming({.body_timeout = 50ms})};
  const std::string head = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
  {
    auto client = fixture.connect();
    client.send(head + "3\r\none\r\n");
    body_reader body{exchanges.next()};
    CHECK(body.next().data == "one");
    client.close();
    CHECK(body.next().what == state::broken);
  }
  {
    auto client = fixture.connect();
    client.send(head + "nonsense\r\n");
    body_reader body{exchanges.next()};
    CHECK(body.next().what == state::broken);
    body.exchange->respond({400, {}, "no"});
    CHECK(client.read_to_end().starts_with("HTTP/1.1 400"));
  }
  {
    auto client = fixture.connect();
    client.send(head);
    body_reader body{exchanges.next()};
    CHECK(body.next().what == state::timeout);
    body.exchange->respond({408, {}, "late"});
    CHECK(client.read_to_end().starts_with("HTTP/1.1 408"));
  }
}

TEST_CASE("the server can word its own refusals") {
  http_server_options options{.max_head_bytes = 64};
  options.refusal = [](unsigned status, std::string_view code, std::string_view) {
    return http_response{status, {{"Content-Type", "text/plain"}}, "refused: " + std::string{code}};
  };
  server_fixture fixture{echo, options};
  auto answer = fixture.answer("GET / HTTP/1.1\r\nHost: h\r\nX: " + std::string(100, 'x'));
  CHECK(answer.starts_with("HTTP/1.1 431"));
  CHECK(answer.ends_with("refused: head_too_large"));
}
