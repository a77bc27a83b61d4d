#pragma once

#include "app/api/problem.hpp"
#include "app/node_options.hpp"
#include "app/tokens.hpp"
#include "net/http_server.hpp"

#include <chrono>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace rolecall::api {

/// Decides who may ask for what, before anything else is done: tokens and their rights, the rate of
/// a client, and what browsers would do for strangers. Pure.
class gate {
public:
  using time_point = std::chrono::steady_clock::time_point;

  gate(const api_options& options, std::shared_ptr<const shared_tokens> tokens);

  /// The part of `check` that needs no memory of the client. May be called from any thread.
  std::optional<problem_details> check_access(const net::headers& headers,
                                              std::optional<access_right> needed) const;

  /// The reason to refuse a request; none if it may pass. `needed` is none for what is open to all.
  std::optional<problem_details> check(const net::http_exchange& request,
                                       std::optional<access_right> needed, time_point now);

  /// The headers that let a page of an allowed origin read the response; none for others.
  net::headers cors_headers(const net::http_exchange& request) const;

private:
  std::optional<problem_details> check_host(const net::headers& headers) const;
  std::optional<problem_details> check_origin(const net::headers& headers) const;
  std::optional<problem_details> check_rate(const std::string& client, time_point now);
  std::optional<problem_details> check_token(const net::headers& headers,
                                             access_right needed) const;
  bool is_allowed_origin(std::string_view origin) const;

  struct bucket {
    std::string client;
    double left;
    time_point filled;
  };
  static constexpr std::size_t max_clients = 10'000;

  api_options options_;
  std::shared_ptr<const shared_tokens> tokens_;
  std::list<bucket> buckets_; // the one that asked last first
  std::map<std::string, std::list<bucket>::iterator> by_client_;
};

} // namespace rolecall::api
