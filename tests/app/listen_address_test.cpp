#include "app/listen_address.hpp"

#include <catch2/catch.hpp>

using rolecall::listen_address;
using rolecall::parse_listen_address;

TEST_CASE("an address to listen on is an IP address, or both of localhost, with a port") {
  auto parsed = [](const char* text) {
    return std::get<listen_address>(parse_listen_address(text));
  };
  CHECK(parsed("127.0.0.1:8052").addresses == std::vector<std::string>{"127.0.0.1"});
  CHECK(parsed("127.0.0.1:8052").port == 8052);
  CHECK(parsed("[::1]:0").addresses == std::vector<std::string>{"::1"});
  CHECK(parsed("localhost:1").addresses == std::vector<std::string>{"127.0.0.1", "::1"});
  for (const auto* text : {"127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "localhost:1"})
    CHECK(parsed(text).loopback);
  for (const auto* text : {"0.0.0.0:1", "[::]:1", "10.0.0.1:1"})
    CHECK_FALSE(parsed(text).loopback);
}

TEST_CASE("what is no address to listen on is refused with the right form") {
  for (const auto* text :
       {"", ":", "8052", ":8052", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:80x",
        "::1:80", "[127.0.0.1]:80", "[::1]", "example.org:80"}) {
    INFO(text);
    auto wrong = parse_listen_address(text);
    REQUIRE(wrong.index() == 1);
    CHECK(std::get<1>(wrong).find("127.0.0.1:8052") != std::string::npos);
  }
}
