#include "net/message_parser.hpp"

#include <catch2/catch.hpp>

using namespace rolecall::net;
using kind = message_parser::kind;
using progress = message_parser::progress;
using error = message_parser::error;

namespace {

constexpr std::size_t max_head = 256;
constexpr std::size_t max_body = 64;

/// What a parser makes of a text that comes in pieces of `piece` bytes.
struct parsed {
  progress last{progress::need_more};
  message_parser parser;
  std::string left;

  parsed(kind what, std::string_view text, std::size_t piece) : parser{what, max_head, max_body} {
    for (; !text.empty() && last != progress::complete && last != progress::failed;
         text.remove_prefix(std::min(piece, text.size()))) {
      left += text.substr(0, piece);
      do {
        std::string_view data{left};
        last = parser.feed(data);
        left.erase(0, left.size() - data.size());
      } while (last == progress::head_done);
    }
    left += text;
  }
};

error failure_of(kind what, const std::string& text) {
  parsed whole{what, text, text.size()};
  parsed single{what, text, 1};
  INFO(text);
  CHECK(whole.last == progress::failed);
  CHECK(single.last == progress::failed);
  CHECK(whole.parser.failure() == single.parser.failure());
  return whole.parser.failure();
}

std::string get(const std::string& headers) {
  return "GET / HTTP/1.1\r\nHost: h\r\n" + headers + "\r\n";
}

} // namespace

TEST_CASE("a message is the same whatever the pieces it comes in") {
  auto piece = GENERATE(1u, 2u, 3u, 7u, 1000u);
  parsed got{kind::request,
             "POST /a?b HTTP/1.1\r\nHost: h\r\nX:  y \r\nTransfer-Encoding: chunked\r\n\r\n"
             "5\r\nhello\r\nA;ext=\"1\"\r\n, wide wor\r\n2\r\nld\r\n0\r\nTrailer: x\r\n\r\nGET",
             piece};
  REQUIRE(got.last == progress::complete);
  CHECK(got.parser.message().method == "POST");
  CHECK(got.parser.message().target == "/a?b");
  CHECK(find_header(got.parser.message().headers, "x") == "y");
  CHECK_FALSE(find_header(got.parser.message().headers, "trailer"));
  CHECK(got.parser.message().body == "hello, wide world");
  CHECK(got.left == "GET");
  CHECK(got.parser.keep_alive());
}

TEST_CASE("an empty chunked body is complete, byte by byte too") {
  auto piece = GENERATE(1u, 1000u);
  parsed got{kind::response, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
             piece};
  CHECK(got.last == progress::complete);
  CHECK(got.parser.message().body.empty());
}

TEST_CASE("empty lines before a request are skipped and are no beginning of it") {
  parsed blank{kind::request, "\r\n\r\n", 1};
  CHECK(blank.last == progress::need_more);
  CHECK_FALSE(blank.parser.started());
  parsed got{kind::request, "\r\n\r\n" + get(""), 1};
  CHECK(got.last == progress::complete);
}

TEST_CASE("a connection is kept as the version and the Connection header say") {
  auto kept = [](const std::string& version, const std::string& headers) {
    parsed got{kind::response, version + " 200 OK\r\nContent-Length: 0\r\n" + headers + "\r\n",
               1000};
    REQUIRE(got.last == progress::complete);
    return got.parser.keep_alive();
  };
  CHECK(kept("HTTP/1.1", ""));
  CHECK(kept("HTTP/1.0", "Connection: Keep-Alive\r\n"));
  CHECK_FALSE(kept("HTTP/1.0", ""));
  CHECK_FALSE(kept("HTTP/1.1", "Connection: x, Close\r\n"));
  CHECK_FALSE(kept("HTTP/1.1", "Connection: keep-alive\r\nConnection: close\r\n"));
}

TEST_CASE("a response without framing lasts until the end of the input and is not kept alive") {
  parsed got{kind::response, "HTTP/1.1 200 OK\r\n\r\nabc", 1};
  CHECK(got.last == progress::need_more);
  CHECK(got.parser.end_of_input() == progress::complete);
  CHECK(got.parser.message().body == "abc");
  CHECK_FALSE(got.parser.keep_alive());
}

TEST_CASE("an end of the input inside a framed body is a failure") {
  parsed got{kind::response, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabc", 1000};
  CHECK(got.parser.end_of_input() == progress::failed);
}

TEST_CASE("204, 304 and 1xx have no body, whatever their headers say") {
  auto status = GENERATE("100", "199", "204", "304");
  parsed got{kind::response,
             "HTTP/1.1 " + std::string{status} + " x\r\nContent-Length: 5\r\n\r\nHTTP/", 1000};
  CHECK(got.last == progress::complete);
  CHECK(got.left == "HTTP/");
}

TEST_CASE("shapes that request smuggling needs are malformed") {
  for (const auto* headers : {"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
                              "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n",
                              "Content-Length: 3\r\nContent-Length: 4\r\n",
                              "Content-Length: 3, 4\r\n",
                              "Content-Length: +3\r\n",
                              "Content-Length: -3\r\n",
                              "Content-Length: 0x3\r\n",
                              "Content-Length:\r\n",
                              "Content-Length: 3 \x01\r\n",
                              "Content-Length: 99999999999999999999\r\n",
                              "Transfer-Encoding: xchunked\r\n",
                              "Transfer-Encoding: chunked, identity\r\n",
                              "Transfer-Encoding: gzip, chunked\r\n",
                              "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
                              "Transfer-Encoding : chunked\r\n",
                              "X: a\r\n folded\r\n",
                              " X: a\r\n",
                              "X\r\n",
                              ": a\r\n",
                              "X: a\rb\r\n",
                              "X: a\n",
                              "X y: a\r\n"})
    CHECK(failure_of(kind::request, get(headers)) == error::malformed);
  CHECK(failure_of(kind::request, get(std::string{"X: a\0b\r\n", 8})) == error::malformed);
  CHECK(failure_of(kind::request, "GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n") ==
        error::malformed);
}

TEST_CASE("a length that is repeated without a difference is one length") {
  parsed got{kind::request, get("Content-Length: 2\r\nContent-Length: 2\r\n") + "ab", 1000};
  CHECK(got.last == progress::complete);
  CHECK(got.parser.message().body == "ab");
}

TEST_CASE("a first line that is none is malformed") {
  for (const auto* line : {"GET /", "GET  HTTP/1.1", "GET / a HTTP/1.1", "G(T / HTTP/1.1",
                           "GET / HTTX/1.1", "GET /\t HTTP/1.1", "GET / HTTP/1.1 "})
    CHECK(failure_of(kind::request, std::string{line} + "\r\nHost: h\r\n\r\n") == error::malformed);
  for (const auto* line : {"HTTP/1.1", "HTTP/1.1 20", "HTTP/1.1 2x0 OK", "HTTP/1.1 099 OK",
                           "HTTP/1.1 200OK", "HTTP/1.2 200 OK"})
    CHECK(failure_of(kind::response, std::string{line} + "\r\n\r\n") != error::none);
}

TEST_CASE("another version of HTTP is told from nonsense") {
  CHECK(failure_of(kind::request, "GET / HTTP/2.0\r\n\r\n") == error::bad_version);
}

TEST_CASE("what cannot become a head is refused without waiting for its end") {
  CHECK(failure_of(kind::response, "SSH-2.0-Open") == error::malformed);
  CHECK(failure_of(kind::request, "\x16\x03\x01") == error::malformed);
  CHECK(failure_of(kind::request, "GET / HTTP/1.1\n") == error::malformed);
}

TEST_CASE("a head at the limit passes, and one byte more does not") {
  auto of_size = [](std::size_t size) {
    auto rest = get("X: \r\n").size();
    return get("X: " + std::string(size - rest, 'a') + "\r\n");
  };
  auto piece = GENERATE(1u, 1000u);
  CHECK(parsed{kind::request, of_size(max_head), piece}.last == progress::complete);
  CHECK(failure_of(kind::request, of_size(max_head + 1)) == error::head_too_large);
}

TEST_CASE("a body at the limit passes, and one byte more does not, however it is framed") {
  std::string full(max_body, 'a');
  std::string head = "HTTP/1.1 200 OK\r\n";
  std::string chunked =
      head + "Transfer-Encoding: chunked\r\n\r\n20\r\n" + full.substr(32) + "\r\n";
  CHECK(parsed{kind::response, head + "Content-Length: 64\r\n\r\n" + full, 7}.last ==
        progress::complete);
  CHECK(failure_of(kind::response, head + "Content-Length: 65\r\n\r\n") == error::body_too_large);
  CHECK(parsed{kind::response, chunked + "20\r\n" + full.substr(32) + "\r\n0\r\n\r\n", 7}.last ==
        progress::complete);
  CHECK(failure_of(kind::response, chunked + "21\r\n") == error::body_too_large);
  CHECK(parsed{kind::response, head + "\r\n" + full, 7}.parser.end_of_input() ==
        progress::complete);
  CHECK(failure_of(kind::response, head + "\r\n" + full + "a") == error::body_too_large);
}

TEST_CASE("a body that is taken piece by piece is bounded as a whole") {
  for (std::string framing : {"Transfer-Encoding: chunked\r\n\r\n", "\r\n"}) {
    auto chunked = framing.size() > 2;
    auto piece = chunked ? "20\r\n" + std::string(32, 'x') + "\r\n" : std::string(32, 'x');
    message_parser parser{kind::response, max_head, max_body};
    auto head = "HTTP/1.1 200 OK\r\n" + framing;
    std::string_view data{head};
    REQUIRE(parser.feed(data) == progress::head_done);
    for (int i = 0; i < 2; ++i) {
      data = piece;
      CHECK(parser.feed(data) == progress::need_more);
      CHECK(parser.take_body() == std::string(32, 'x'));
      CHECK(parser.message().body.empty());
    }
    data = piece;
    CHECK(parser.feed(data) == progress::failed);
    CHECK(parser.failure() == error::body_too_large);
  }
}

TEST_CASE("a chunk that is none is malformed") {
  auto chunked = get("Transfer-Encoding: chunked\r\n");
  for (const auto* body :
       {"x\r\n", "\r\n", "-1\r\n", "3\r\nabcd\r\n", "3\n", "3\r\nabc\n", "3 \x01\r\n",
        "11111111111111111\r\n", "0\r\n: x\r\n", "0\r\nX: y\n", "0\r\n\n", "0x3\r\n"})
    CHECK(failure_of(kind::request, chunked + body) == error::malformed);
}

TEST_CASE("chunk extensions and trailers are bounded") {
  auto chunked = get("Transfer-Encoding: chunked\r\n");
  CHECK(failure_of(kind::request, chunked + "1;" + std::string(2000, 'e')) == error::malformed);
  CHECK(failure_of(kind::request, chunked + "0\r\nX: " + std::string(300, 't')) ==
        error::malformed);
}
