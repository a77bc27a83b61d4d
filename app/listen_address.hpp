#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace rolecall {

/// Where a server listens.
struct listen_address {
  std::string text;                   ///< the host as it was written
  std::vector<std::string> addresses; ///< numeric; both loopback addresses for "localhost"
  std::uint16_t port{0};              ///< 0: any free one
  bool loopback{true};                ///< nobody from another machine can reach it
};

/// Parses "ADDRESS:PORT", where ADDRESS is an IPv4 address, an IPv6 address in brackets, or
/// "localhost". Gives a text that says what is wrong with anything else.
std::variant<listen_address, std::string> parse_listen_address(std::string_view text);

} // namespace rolecall
