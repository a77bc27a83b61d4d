#include "net/http.hpp"

#include <catch2/catch.hpp>

TEST_CASE("a header is found whatever the case of its name") {
  rolecall::net::http_response response{200, {{"Retry-After", "2"}}, ""};
  CHECK(response.headers.front().value == "2");
}
