#include "net/address.hpp"
#include "net/http.hpp"
#include "net/syntax.hpp"

#include <boost/asio/ip/address_v6.hpp>

#include <algorithm>
#include <charconv>

namespace rolecall::net {

namespace {

std::uint16_t default_port(std::string_view scheme) {
  return scheme == "https" ? 443 : 80;
}

bool is_ipv6(std::string_view text) {
  boost::system::error_code error;
  boost::asio::ip::make_address_v6(std::string{text}, error);
  return !error && text.find('%') == std::string_view::npos;
}

bool is_host_name(std::string_view text) {
  auto allowed = [](char c) {
    return is_letter(c) || is_digit(c) || c == '-' || c == '.' || c == '_';
  };
  return !text.empty() && std::all_of(text.begin(), text.end(), allowed);
}

/// Splits "host:port" into `result`; gives what is wrong with it, or nothing.
std::string parse_authority(std::string_view text, url& result) {
  if (text.find('@') != std::string_view::npos)
    return "user info in a URL is not allowed";
  std::string_view host;
  if (text.starts_with('[')) {
    auto end = text.find(']');
    if (end == std::string_view::npos)
      return "the host's bracket is not closed";
    host = text.substr(1, end - 1);
    text.remove_prefix(end + 1);
    if (!is_ipv6(host))
      return "the host in brackets is not an IPv6 address";
  } else {
    host = text.substr(0, text.find(':'));
    text.remove_prefix(host.size());
    if (host.empty())
      return "the URL has no host";
    if (!is_host_name(host))
      return "the host has a character that is not allowed";
  }
  result.host = host;
  std::transform(host.begin(), host.end(), result.host.begin(), lower);
  result.port = default_port(result.scheme);
  if (text.empty() || text == ":")
    return {};
  if (text.front() != ':')
    return "the port is not set off by a colon";
  text.remove_prefix(1);
  unsigned port = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || end != text.data() + text.size() || port == 0 || port > 65535)
    return "the port is not a number from 1 to 65535";
  result.port = static_cast<std::uint16_t>(port);
  return {};
}

} // namespace

std::string url::origin() const {
  return scheme + "://" + host_and_port(host, port);
}

std::string url::authority() const {
  return port == default_port(scheme) ? bracketed(host) : host_and_port(host, port);
}

std::variant<url, std::string> parse_url(std::string_view text) {
  if (text.find(' ') != std::string_view::npos || text.find('\t') != std::string_view::npos ||
      !is_field_value(text))
    return "the URL has white space or control characters";
  auto colon = text.find("://");
  if (colon == std::string_view::npos)
    return "the URL is not absolute: http:// or https:// is missing";
  url result;
  result.scheme = text.substr(0, colon);
  std::transform(result.scheme.begin(), result.scheme.end(), result.scheme.begin(), lower);
  if (result.scheme != "http" && result.scheme != "https")
    return "the URL's scheme is neither http nor https";
  text.remove_prefix(colon + 3);
  if (text.find('#') != std::string_view::npos)
    return "the URL has a fragment";
  auto authority = text.substr(0, std::min(text.find('/'), text.find('?')));
  text.remove_prefix(authority.size());
  if (auto wrong = parse_authority(authority, result); !wrong.empty())
    return wrong;
  result.target = text;
  if (!result.target.starts_with('/'))
    result.target.insert(result.target.begin(), '/');
  return result;
}

} // namespace rolecall::net
