#include "app/config_cluster.hpp"

#include "net/http.hpp"

#include <boost/asio/ip/address.hpp>

namespace rolecall {

namespace {

constexpr std::size_t max_peers = 1'000;

/// What is wrong with the address of another node, if something is.
std::optional<std::string> peer_problem(const std::string& address) {
  auto parsed = net::parse_url("http://" + address);
  const auto* url = std::get_if<net::url>(&parsed);
  auto port = address.rfind(':');
  if (!url || url->target != "/" || address.back() == '/' || port == std::string::npos ||
      address.find(']', port) != std::string::npos || url->port == 0)
    return "\"" + address +
           "\" is no address; write it like host:7481, 10.0.0.2:7481 or [::1]:7481";
  return std::nullopt;
}

bool is_loopback(const std::string& address) {
  auto parsed = net::parse_url("http://" + address);
  const auto* url = std::get_if<net::url>(&parsed);
  if (!url)
    return true; // it is told that it is no address
  boost::system::error_code not_numeric;
  auto ip = boost::asio::ip::make_address(url->host, not_numeric);
  return not_numeric ? url->host == "localhost" : ip.is_loopback();
}

void read_tls(const nlohmann::json& value, std::vector<problem>& problems,
              cluster_settings& result) {
  object_reader object{value, "/cluster/tls", problems};
  result.tls_certificate = object.string("certificate").value_or("");
  result.tls_key = object.string("key").value_or("");
  result.tls_ca = object.string("ca").value_or("");
  auto any = !(result.tls_certificate + result.tls_key + result.tls_ca).empty();
  for (const auto& [key, file] :
       {std::pair{"certificate", &result.tls_certificate}, std::pair{"key", &result.tls_key},
        std::pair{"ca", &result.tls_ca}})
    if (any && file->empty())
      object.complain(key, "is missing: nodes need a certificate, its key, and the certificate of "
                           "the CA that has signed all of them");
  object.finish();
}

} // namespace

cluster_settings read_cluster(const nlohmann::json& value, std::vector<problem>& problems) {
  cluster_settings result;
  object_reader object{value, "/cluster", problems};
  result.name = object.name("name", 64).value_or(result.name);
  if (auto listen = object.string("listen")) {
    auto parsed = parse_listen_address(*listen);
    if (const auto* wrong = std::get_if<std::string>(&parsed))
      object.complain("listen", *wrong);
    else
      result.listen = std::get<listen_address>(std::move(parsed));
  }
  if (auto advertise = object.string("advertise")) {
    if (auto wrong = peer_problem(*advertise))
      object.complain("advertise", *wrong);
    result.advertise = *advertise;
  }
  result.peers = object.strings("peers", max_peers).value_or(result.peers);
  for (const auto& peer : result.peers)
    if (auto wrong = peer_problem(peer))
      object.complain("peers", *wrong);
  result.heartbeat_interval =
      object.duration("heartbeat_interval", millis{10}).value_or(result.heartbeat_interval);
  result.heartbeat_timeout =
      object.duration("heartbeat_timeout", millis{50}).value_or(result.heartbeat_timeout);
  if (result.heartbeat_timeout < 2 * result.heartbeat_interval)
    object.complain("heartbeat_timeout",
                    "is less than two times heartbeat_interval: one heartbeat that is late would "
                    "end the link");
  if (const auto* tls = object.object("tls"))
    read_tls(*tls, problems, result);
  object.finish();
  if (!result.listen && result.peers.empty())
    object.complain("listen", "is missing, and so is peers: a node of a cluster has an address "
                              "where others call it, or others that it calls");
  if (!result.tls_ca.empty())
    return result;
  std::string needs = " can be reached from other machines, and needs TLS (/cluster/tls; "
                      "docs/cluster.md makes the certificates)";
  if (result.listen && !result.listen->loopback)
    object.complain("listen", "\"" + result.listen->text + "\"" + needs);
  for (const auto& peer : result.peers)
    if (!is_loopback(peer))
      object.complain("peers", "\"" + peer +
                                   "\" is on another machine, and needs TLS "
                                   "(/cluster/tls; docs/cluster.md makes the certificates)");
  return result;
}

} // namespace rolecall
