#pragma once

#include <cstdint>
#include <string>

namespace rolecall::net {

/// A host as it stands before a port: an IPv6 address in brackets, all else as it is.
inline std::string bracketed(const std::string& host) {
  return host.find(':') == std::string::npos ? host : '[' + host + ']';
}

/// "10.0.0.2:80", "[::1]:80", "localhost:80".
inline std::string host_and_port(const std::string& host, std::uint16_t port) {
  return bracketed(host) + ':' + std::to_string(port);
}

} // namespace rolecall::net
