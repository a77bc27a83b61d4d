#pragma once

#include "net/http_server.hpp"

#include <string>
#include <utility>

namespace rolecall::tests {

/// A request that nobody sent, for what looks at requests only.
struct request_stub : net::http_exchange {
  explicit request_stub(net::headers all = {}, std::string verb = "GET",
                        std::string client = "127.0.0.1")
      : method_{std::move(verb)}, headers_{std::move(all)}, peer_{std::move(client)} {}

  const std::string& method() const override { return method_; }
  const std::string& path() const override { return none_; }
  const std::string& query() const override { return none_; }
  const net::headers& headers() const override { return headers_; }
  const std::string& body() const override { return none_; }
  const std::string& peer() const override { return peer_; }
  void read_body(std::function<void(net::body_piece)>) override {}
  void respond(net::http_response) override {}
  std::shared_ptr<net::response_stream> respond_streamed(net::http_response) override {
    return nullptr;
  }
  void on_disconnect(std::function<void()>) override {}

private:
  std::string method_;
  net::headers headers_;
  std::string peer_;
  std::string none_;
};

} // namespace rolecall::tests
