#pragma once

#include "app/listen_address.hpp"
#include "messages/basics.hpp"

#include <string>
#include <vector>

/// What a node that stays up can be told, beside what its actors can. The defaults are here; what
/// each option means to its user stands in config/schema.json.
namespace rolecall {

/// How often a client may ask, by its address. No bound if `requests_per_second` is 0.
struct rate_limit_options {
  double requests_per_second{0};
  std::uint32_t burst{100};
};

struct api_options {
  listen_address listen{"127.0.0.1", {"127.0.0.1"}, 7480, true};
  std::vector<std::string> cors_origins;
  std::string token_file;      ///< empty: no tokens
  std::string tls_certificate; ///< both or none
  std::string tls_key;
  bool insecure{false}; ///< others may reach it without tokens or TLS
  std::size_t max_connections{10'000};
  std::size_t max_body_bytes{64u << 20};
  std::size_t max_head_bytes{16u << 10};
  millis head_timeout{10'000};
  millis body_timeout{60'000};
  millis write_timeout{60'000};
  millis idle_timeout{75'000};
  std::size_t event_buffer{50'000};              ///< events that can be asked for again
  std::size_t max_event_backlog_bytes{4u << 20}; ///< of a reader, before it is cut off
  rate_limit_options rate_limit;
};

enum class log_format { automatic, text, json };

struct log_options {
  std::string level{"info"};
  log_format format{log_format::automatic};
};

struct node_options {
  std::string name{"node"};
  std::size_t threads{1}; ///< event loops: those who decide, who call agents, who serve callers
  millis drain_timeout{30'000};
  api_options api;
  log_options log;
  std::string otlp_url; ///< of a collector of traces; empty: none
};

} // namespace rolecall
