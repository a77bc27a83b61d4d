#include "app/listen_address.hpp"

#include <boost/asio/ip/address.hpp>

#include <charconv>

namespace rolecall {

std::variant<listen_address, std::string> parse_listen_address(std::string_view text) {
  auto wrong = [&](std::string what) {
    return "\"" + std::string{text} + "\" " + std::move(what) +
           "; write it like 127.0.0.1:8052, localhost:8052 or [::1]:8052";
  };
  auto colon = text.rfind(':');
  if (colon == std::string_view::npos)
    return wrong("has no port");
  listen_address result;
  auto digits = text.substr(colon + 1);
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), result.port);
  if (digits.empty() || error != std::errc{} || end != digits.data() + digits.size())
    return wrong("has no port from 0 to 65535");
  auto host = text.substr(0, colon);
  result.text = host;
  if (host == "localhost") {
    result.addresses = {"127.0.0.1", "::1"};
    return result;
  }
  auto bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed)
    host = host.substr(1, host.size() - 2);
  boost::system::error_code not_numeric;
  auto address = boost::asio::ip::make_address(host, not_numeric);
  if (not_numeric || address.is_v6() != bracketed)
    return wrong("does not begin with an IP address (IPv6 in brackets) or localhost");
  result.addresses = {address.to_string()};
  result.loopback = address.is_loopback();
  return result;
}

} // namespace rolecall
