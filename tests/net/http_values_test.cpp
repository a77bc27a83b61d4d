#include "net/http.hpp"
#include "net/sha256.hpp"

#include <catch2/catch.hpp>

using namespace rolecall::net;
using namespace std::chrono_literals;

namespace {

url good(std::string_view text) {
  auto result = parse_url(text);
  if (auto* wrong = std::get_if<std::string>(&result))
    FAIL(text << ": " << *wrong);
  return std::get<url>(result);
}

std::string wrong(std::string_view text) {
  auto result = parse_url(text);
  INFO(text);
  REQUIRE(std::holds_alternative<std::string>(result));
  return std::get<std::string>(result);
}

// Sun, 06 Nov 1994 08:49:37 GMT, the example of RFC 9110.
const std::chrono::system_clock::time_point example{std::chrono::seconds{784111777}};

} // namespace

TEST_CASE("a header is found whatever the case of its name, and the first one counts") {
  headers all{{"Accept", "a"}, {"RETRY-after", "2"}, {"Retry-After", "3"}};
  CHECK(find_header(all, "retry-After") == "2");
  CHECK_FALSE(find_header(all, "Retry"));
  CHECK_FALSE(find_header({}, ""));
}

TEST_CASE("a URL is taken apart, and what it leaves out has its default") {
  auto full = good("HTTP://Example.ORG:8080/a/b?c=d&e");
  CHECK(full.scheme == "http");
  CHECK(full.host == "example.org");
  CHECK(full.port == 8080);
  CHECK(full.target == "/a/b?c=d&e");
  CHECK(good("http://h").port == 80);
  CHECK(good("https://h").port == 443);
  CHECK(good("http://h:/").port == 80);
  CHECK(good("http://h").target == "/");
  CHECK(good("http://h?q=1").target == "/?q=1");
}

TEST_CASE("an IPv6 host loses its brackets, and gets them back in origin and authority") {
  auto parsed = good("https://[::1]:8443/x");
  CHECK(parsed.host == "::1");
  CHECK(parsed.origin() == "https://[::1]:8443");
  CHECK(parsed.authority() == "[::1]:8443");
}

TEST_CASE("an authority leaves the default port out, an origin does not") {
  CHECK(good("http://h:80/").authority() == "h");
  CHECK(good("https://h:80/").authority() == "h:80");
  CHECK(good("http://h/").origin() == "http://h:80");
}

TEST_CASE("a URL that cannot be called is refused with what is wrong with it") {
  CHECK(wrong("").find("not absolute") != std::string::npos);
  CHECK(wrong("example.org/a").find("not absolute") != std::string::npos);
  CHECK(wrong("ftp://h/").find("scheme") != std::string::npos);
  CHECK(wrong("http://").find("no host") != std::string::npos);
  CHECK(wrong("http://:80/").find("no host") != std::string::npos);
  CHECK(wrong("http://h/a b").find("white space") != std::string::npos);
  CHECK(wrong("http://h/a\r\nX: y").find("control") != std::string::npos);
  CHECK(wrong("http://h/#part").find("fragment") != std::string::npos);
  CHECK(wrong("http://h%00/").find("character") != std::string::npos);
  CHECK(wrong("http://[::1/").find("bracket") != std::string::npos);
  CHECK(wrong("http://[h]/").find("IPv6") != std::string::npos);
  for (const auto* text : {"http://h:0/", "http://h:65536/", "http://h:-1/", "http://h:8x/",
                           "http://[::1]8080/", "http://h:99999999999/"})
    CHECK(wrong(text).find("port") != std::string::npos);
}

TEST_CASE("a secret in a URL is refused and not repeated") {
  auto text = wrong("http://user:sesame@h/");
  CHECK(text.find("user info") != std::string::npos);
  CHECK(text.find("sesame") == std::string::npos);
}

TEST_CASE("a Retry-After in seconds is read") {
  CHECK(parse_retry_after("120", example) == 120s);
  CHECK(parse_retry_after(" 0 ", example) == 0s);
}

TEST_CASE("a Retry-After date is read in each of its three formats") {
  auto before = example - 10s;
  CHECK(parse_retry_after("Sun, 06 Nov 1994 08:49:37 GMT", before) == 10s);
  CHECK(parse_retry_after("Sunday, 06-Nov-94 08:49:37 GMT", before) == 10s);
  CHECK(parse_retry_after("Sun Nov  6 08:49:37 1994", before) == 10s);
}

TEST_CASE("a Retry-After date in the past asks for no wait") {
  CHECK(parse_retry_after("Sun, 06 Nov 1994 08:49:37 GMT", example + 1s) == 0s);
}

TEST_CASE("part of a second until a Retry-After date counts as a whole one") {
  CHECK(parse_retry_after("Sun, 06 Nov 1994 08:49:37 GMT", example - 1ms) == 1s);
}

TEST_CASE("a Retry-After that makes no sense gives none") {
  for (const auto* text : {"", "soon", "-1", "1.5", "1 2", "99999999999999999999",
                           "Sun, 06 Nov 1994 08:49:37 GMT and more"}) {
    INFO(text);
    CHECK_FALSE(parse_retry_after(text, example));
  }
}

TEST_CASE("a path segment keeps its unreserved characters and escapes all others") {
  CHECK(encode_path_segment("aZ09-._~") == "aZ09-._~");
  CHECK(encode_path_segment("a/b c?%\xc3\xa9") == "a%2Fb%20c%3F%25%C3%A9");
}

TEST_CASE("decoding a path segment undoes encoding it") {
  std::string all;
  for (int byte = 1; byte < 256; ++byte)
    all += static_cast<char>(byte);
  CHECK(decode_path_segment(encode_path_segment(all)) == all);
  CHECK(decode_path_segment("a%2fb") == "a/b");
}

TEST_CASE("a broken escape or a NUL in a path segment gives none") {
  for (const auto* text : {"%", "%4", "a%4", "%zz", "%4z", "%-1", "%00", "a%00b"}) {
    INFO(text);
    CHECK_FALSE(decode_path_segment(text));
  }
}

TEST_CASE("SHA-256 is told in 64 hex digits") {
  CHECK(sha256_hex("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(sha256_hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}
