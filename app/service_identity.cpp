#include "app/service_identity.hpp"

#include "net/http.hpp"

#include <boost/asio/ip/address.hpp>

#include <filesystem>
#include <fstream>

namespace rolecall {

namespace {

/// Differs between machines, and between the network namespaces of one.
std::string network_of_process() {
  std::string boot;
  std::getline(std::ifstream{"/proc/sys/kernel/random/boot_id"} >> std::ws, boot);
  std::error_code error;
  auto space = std::filesystem::read_symlink("/proc/self/ns/net", error);
  return boot + "/" + (error ? "" : space.string());
}

} // namespace

std::string service_identity(const std::string& url) {
  auto parsed = net::parse_url(url);
  const auto* address = std::get_if<net::url>(&parsed);
  if (!address)
    return url;
  boost::system::error_code not_numeric;
  auto ip = boost::asio::ip::make_address(address->host, not_numeric);
  auto loopback = not_numeric ? address->host == "localhost" : ip.is_loopback();
  if (!loopback)
    return url;
  // 127.0.0.1, ::1 and localhost lead to the same machine; what listens on which is not known here.
  return address->scheme + "://loopback:" + std::to_string(address->port) +
         (address->target == "/" ? "" : address->target) + " of " + network_of_process();
}

} // namespace rolecall
