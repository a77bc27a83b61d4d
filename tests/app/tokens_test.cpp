#include "app/tokens.hpp"
#include "tests/app/run_fixture.hpp"

#include <catch2/catch.hpp>

#include <sys/stat.h>

using namespace rolecall;
using namespace rolecall::tests;

TEST_CASE("tokens are known by their hashes, and the file has no token in it") {
  CHECK(hash_of("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  auto token = make_token();
  CHECK(token != make_token());
  token_set tokens{{{"ci", access_right::submit, hash_of(token)}}};
  auto text = to_text(tokens);
  CHECK(text.find(token) == std::string::npos);
  auto parsed = parse_tokens(text);
  REQUIRE(std::holds_alternative<token_set>(parsed));
  CHECK(std::get<token_set>(parsed).right_of(token) == access_right::submit);
  CHECK_FALSE(std::get<token_set>(parsed).right_of(token + "x"));
  CHECK_FALSE(std::get<token_set>(parsed).right_of(""));
}

TEST_CASE("every problem of a token file is told") {
  auto parsed = parse_tokens(
      R"({"tokens":[{"name":"a","right":"boss","sha256":"12"},{"right":"read"}],"token":1})");
  REQUIRE(std::holds_alternative<std::vector<problem>>(parsed));
  CHECK(std::get<std::vector<problem>>(parsed).size() == 5);
}

TEST_CASE("a token is made, kept in the file as a hash, and revoked") {
  folder place;
  auto file = place.path("tokens.json");
  auto run = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"token", file});
    program child{std::move(arguments)};
    auto output = child.rest_of_output();
    return std::pair{child.exit_code(), output};
  };
  auto [code, output] = run({"--name", "ci", "--right", "admin"});
  CHECK(code == 0);
  auto token = output.substr(0, output.size() - 1);
  auto load = [&] { return std::get<token_set>(load_tokens(file)); };
  CHECK(load().right_of(token) == access_right::admin);
  struct stat about {};
  REQUIRE(::stat(file.c_str(), &about) == 0);
  CHECK((about.st_mode & 0777) == 0600);
  REQUIRE(::chmod(file.c_str(), 0640) == 0);
  CHECK(run({"--name", "ci"}).first == 2);
  CHECK(run({"--name", "other"}).first == 0);
  REQUIRE(::stat(file.c_str(), &about) == 0);
  CHECK((about.st_mode & 0777) == 0640);
  CHECK(load().right_of(token) == access_right::admin);
  CHECK(run({"--name", "ci", "--revoke"}).first == 0);
  CHECK_FALSE(load().right_of(token));
  CHECK(run({"--name", "nobody", "--revoke"}).first == 2);
  CHECK(run({"--name", "x", "--right", "boss"}).first == 2);
}
