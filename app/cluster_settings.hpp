#pragma once

#include "app/listen_address.hpp"
#include "messages/basics.hpp"

#include <optional>
#include <string>
#include <vector>

namespace rolecall {

/// What a node can be told of the cluster that it belongs to. What each option means to its user
/// stands in config/schema.json.
struct cluster_settings {
  std::string name{"rolecall"};
  std::optional<listen_address> listen; ///< none: it only calls others
  std::string advertise;                ///< empty: as it listens
  std::vector<std::string> peers;
  millis heartbeat_interval{500};
  millis heartbeat_timeout{3'000};
  std::string tls_certificate; ///< all three or none
  std::string tls_key;
  std::string tls_ca;
};

} // namespace rolecall
