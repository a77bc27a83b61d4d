#pragma once

#include "net/event_loop.hpp"
#include "net/pooled_http_client.hpp"
#include "tests/net/raw_socket.hpp"

#include <boost/asio/post.hpp>
#include <catch2/catch.hpp>

#include <future>
#include <memory>
#include <string>
#include <utility>

namespace rolecall::net::test {

/// A call that has been started.
struct pending_call {
  http_client::call_id id;
  std::future<http_result> result;

  http_result get() {
    REQUIRE(result.wait_for(patience) == std::future_status::ready);
    return result.get();
  }
};

/// A client with a loop of its own.
struct client_fixture {
  event_loop loop;
  pooled_http_client client;

  explicit client_fixture(http_client_options options = {})
      : client{loop.context(), std::move(options)} {}

  pending_call start(http_request request) {
    auto done = std::make_shared<std::promise<http_result>>();
    auto result = done->get_future();
    auto id = client.start(std::move(request),
                           [done](http_result got) { done->set_value(std::move(got)); });
    return {id, std::move(result)};
  }

  http_result call(http_request request) { return start(std::move(request)).get(); }
  http_result get(std::string url) { return call({.url = std::move(url)}); }
};

inline http_response response_of(http_result result) {
  if (auto* failure = std::get_if<http_failure>(&result))
    FAIL(failure->message);
  return std::get<http_response>(std::move(result));
}

inline http_failure failure_of(http_result result) {
  if (auto* response = std::get_if<http_response>(&result))
    FAIL("there is a response: " << response->status);
  return std::get<http_failure>(std::move(result));
}

inline std::shared_ptr<const std::string> shared_body(std::string text) {
  return std::make_shared<const std::string>(std::move(text));
}

} // namespace rolecall::net::test
