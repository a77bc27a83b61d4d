#include "app/api/gate.hpp"

#include "net/syntax.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace rolecall::api {

namespace {

/// The host of a Host header or an origin, without its port.
std::string_view without_port(std::string_view authority) {
  if (authority.starts_with('['))
    return authority.substr(0, authority.find(']') + 1);
  return authority.substr(0, authority.find(':'));
}

bool is_loopback_name(std::string_view authority) {
  std::string host{without_port(authority)};
  std::transform(host.begin(), host.end(), host.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return host == "localhost" || host == "[::1]" || host.ends_with(".localhost") ||
         (host.starts_with("127.") &&
          host.find_first_not_of("0123456789.") == std::string_view::npos);
}

} // namespace

gate::gate(const api_options& options, std::shared_ptr<const shared_tokens> tokens)
    : options_{options}, tokens_{std::move(tokens)} {}

std::optional<problem_details> gate::check(const net::http_exchange& request,
                                           std::optional<access_right> needed, time_point now) {
  if (auto wrong = check_access(request.headers(), needed))
    return wrong;
  return check_rate(request.peer(), now);
}

std::optional<problem_details> gate::check_access(const net::headers& headers,
                                                  std::optional<access_right> needed) const {
  if (auto wrong = check_host(headers))
    return wrong;
  if (auto wrong = check_origin(headers))
    return wrong;
  if (needed && !options_.token_file.empty())
    return check_token(headers, *needed);
  return std::nullopt;
}

/// A page of a stranger can make its own name point at this machine (DNS rebinding). Without tokens
/// the name in the Host header is what tells.
std::optional<problem_details> gate::check_host(const net::headers& headers) const {
  if (!options_.token_file.empty() || !options_.listen.loopback)
    return std::nullopt;
  auto host = net::find_header(headers, "host");
  if (!host || is_loopback_name(*host))
    return std::nullopt;
  return problem_details{"misdirected_request",
                         "this node listens on loopback and has no tokens, so it answers only to "
                         "localhost and loopback addresses in the Host header"};
}

std::optional<problem_details> gate::check_origin(const net::headers& headers) const {
  auto origin = net::find_header(headers, "origin");
  if (!origin || is_allowed_origin(*origin))
    return std::nullopt;
  auto host = net::find_header(headers, "host");
  auto scheme = origin->find("://");
  if (host && scheme != std::string_view::npos &&
      net::same_without_case(origin->substr(scheme + 3), *host))
    return std::nullopt;
  return problem_details{"forbidden_origin",
                         "pages of this origin may not use the node; if they should, add it to "
                         "/api/cors_origins of the configuration"};
}

bool gate::is_allowed_origin(std::string_view origin) const {
  const auto& all = options_.cors_origins;
  return std::find(all.begin(), all.end(), origin) != all.end();
}

net::headers gate::cors_headers(const net::http_exchange& request) const {
  auto origin = net::find_header(request.headers(), "origin");
  if (!origin || !is_allowed_origin(*origin))
    return {};
  return {{"Access-Control-Allow-Origin", std::string{*origin}},
          {"Access-Control-Expose-Headers", "ETag, Location, Retry-After"},
          {"Vary", "Origin"}};
}

/// A token bucket for each address; of those that are full again nothing needs to be remembered.
std::optional<problem_details> gate::check_rate(const std::string& client, time_point now) {
  const auto& limit = options_.rate_limit;
  if (limit.requests_per_second <= 0)
    return std::nullopt;
  auto known = by_client_.find(client);
  if (known == by_client_.end()) {
    if (buckets_.size() == max_clients) {
      by_client_.erase(buckets_.back().client);
      buckets_.pop_back();
    }
    buckets_.push_front({client, static_cast<double>(limit.burst), now});
    known = by_client_.emplace(client, buckets_.begin()).first;
  } else {
    buckets_.splice(buckets_.begin(), buckets_, known->second);
  }
  auto& bucket = *known->second;
  std::chrono::duration<double> passed = now - bucket.filled;
  bucket.left = std::min(static_cast<double>(limit.burst),
                         bucket.left + passed.count() * limit.requests_per_second);
  bucket.filled = now;
  if (bucket.left >= 1) {
    bucket.left -= 1;
    return std::nullopt;
  }
  auto wait = std::max(1.0, std::ceil((1 - bucket.left) / limit.requests_per_second));
  return problem_details{"rate_limited",
                         "too many requests from this address",
                         {},
                         {{"Retry-After", std::to_string(static_cast<std::int64_t>(wait))}}};
}

std::optional<problem_details> gate::check_token(const net::headers& headers,
                                                 access_right needed) const {
  constexpr std::string_view scheme = "bearer ";
  auto value = net::find_header(headers, "authorization").value_or("");
  auto is_bearer = value.size() > scheme.size() &&
                   net::same_without_case(value.substr(0, scheme.size()), scheme);
  if (!is_bearer)
    return problem_details{"unauthorized",
                           "this node wants a token: Authorization: Bearer TOKEN",
                           {},
                           {{"WWW-Authenticate", "Bearer realm=\"rolecall\""}}};
  auto right = tokens_->get().right_of(value.substr(scheme.size()));
  if (!right)
    return problem_details{
        "unauthorized",
        "the token is not known to this node",
        {},
        {{"WWW-Authenticate", "Bearer realm=\"rolecall\", error=\"invalid_token\""}}};
  if (*right < needed)
    return problem_details{"forbidden", "the token has the right \"" + to_string(*right) +
                                            "\", and this request needs \"" + to_string(needed) +
                                            "\""};
  return std::nullopt;
}

} // namespace rolecall::api
