// Who may ask for what.
#include "app/api/gate.hpp"
#include "tests/app/api/request_stub.hpp"

#include <catch2/catch.hpp>

using namespace rolecall;
using namespace rolecall::api;
using namespace rolecall::tests;
using std::chrono::milliseconds;

namespace {

std::shared_ptr<shared_tokens> no_tokens() {
  return std::make_shared<shared_tokens>(token_set{});
}

std::string verdict_of(gate& door, const net::headers& headers,
                       std::optional<access_right> needed = access_right::read) {
  request_stub request{headers};
  auto wrong = door.check(request, needed, {});
  return wrong ? wrong->code : "passes";
}

} // namespace

TEST_CASE("without tokens only loopback names in the Host header pass") {
  gate door{{}, no_tokens()};
  for (const auto* host : {"localhost", "LocalHost:7480", "127.0.0.1:7480", "127.9.9.9",
                           "[::1]:7480", "node.localhost:7480"})
    CHECK(verdict_of(door, {{"Host", host}}) == "passes");
  for (const auto* host :
       {"example.org", "127.0.0.1.example.org", "localhost.example.org", "[2001:db8::1]:7480"})
    CHECK(verdict_of(door, {{"Host", host}}) == "misdirected_request");
  CHECK(verdict_of(door, {}) == "passes"); // HTTP/1.0
}

TEST_CASE("pages of other origins are refused unless they are configured") {
  api_options options;
  options.cors_origins = {"https://board.example.org"};
  gate door{options, no_tokens()};
  auto from = [&](const std::string& origin) {
    return verdict_of(door, {{"Host", "localhost:7480"}, {"Origin", origin}});
  };
  CHECK(from("http://localhost:7480") == "passes");
  CHECK(from("https://board.example.org") == "passes");
  CHECK(from("https://evil.example.org") == "forbidden_origin");
  CHECK(from("http://localhost:8000") == "forbidden_origin");
  CHECK(from("null") == "forbidden_origin");
  request_stub allowed{{{"Origin", "https://board.example.org"}}};
  CHECK_FALSE(door.cors_headers(allowed).empty());
  request_stub stranger{{{"Origin", "https://evil.example.org"}}};
  CHECK(door.cors_headers(stranger).empty());
}

TEST_CASE("a token allows what its right includes, and nothing more") {
  api_options options;
  options.token_file = "tokens.json";
  auto tokens =
      std::make_shared<shared_tokens>(token_set{{{"r", access_right::read, hash_of("reader")},
                                                 {"s", access_right::submit, hash_of("submitter")},
                                                 {"a", access_right::admin, hash_of("boss")}}});
  gate door{options, tokens};
  auto ask = [&](const std::string& value, access_right needed) {
    return verdict_of(door, {{"Authorization", value}}, needed);
  };
  CHECK(ask("Bearer reader", access_right::read) == "passes");
  CHECK(ask("bearer reader", access_right::read) == "passes");
  CHECK(ask("Bearer reader", access_right::submit) == "forbidden");
  CHECK(ask("Bearer submitter", access_right::submit) == "passes");
  CHECK(ask("Bearer submitter", access_right::admin) == "forbidden");
  CHECK(ask("Bearer boss", access_right::admin) == "passes");
  for (const auto* wrong : {"Bearer nobody", "Bearer ", "Bearer", "Basic reader", "reader", ""})
    CHECK(ask(wrong, access_right::read) == "unauthorized");
  CHECK(verdict_of(door, {}, std::nullopt) == "passes"); // open to all
  CHECK(verdict_of(door, {{"Host", "node.example.org"}, {"Authorization", "Bearer reader"}}) ==
        "passes"); // with tokens the name does not matter
  tokens->set({});
  CHECK(ask("Bearer boss", access_right::read) == "unauthorized");
}

TEST_CASE("a refusal never shows the token") {
  api_options options;
  options.token_file = "tokens.json";
  gate door{options, no_tokens()};
  request_stub request{{{"Authorization", "Bearer very-secret"}}};
  auto wrong = door.check(request, access_right::read, {});
  REQUIRE(wrong);
  CHECK(to_response(*wrong).body.find("very-secret") == std::string::npos);
}

TEST_CASE("a client that asks too often is told when to come back, others are served") {
  api_options options;
  options.rate_limit = {2, 3};
  gate door{options, no_tokens()};
  gate::time_point now{};
  auto ask = [&](const std::string& client) {
    request_stub request{{}, "GET", client};
    return door.check(request, std::nullopt, now);
  };
  for (int i = 0; i < 3; ++i)
    CHECK_FALSE(ask("a"));
  auto refused = ask("a");
  REQUIRE(refused);
  CHECK(refused->code == "rate_limited");
  CHECK(net::find_header(refused->headers, "Retry-After") == "1");
  CHECK_FALSE(ask("b"));
  now += milliseconds{499};
  CHECK(ask("a"));
  now += milliseconds{501};
  CHECK_FALSE(ask("a"));
}
