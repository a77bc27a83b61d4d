#pragma once

#include "net/tls.hpp"

#include <string>
#include <vector>

namespace rolecall::net {

/// PEM files of a node that talks to others of its cluster over TLS.
struct link_tls {
  std::string certificate; ///< with the chain that leads to `ca`, if there is one between
  std::string key;
  std::string ca; ///< whoever signs the certificates of this cluster: nobody else is trusted
};

/// Settings for one side of a link: TLS 1.3 only, without resumption; both sides must show a
/// certificate that chains to `files.ca`. Whom a certificate names is for the caller to check
/// (`certificate_names`). Reads the files; throws `std::runtime_error` that names the one that
/// cannot be used.
boost::asio::ssl::context make_link_context(const link_tls& files,
                                            boost::asio::ssl::stream_base::handshake_type side);

/// Whom the peer's certificate names: its subject alternative names of type DNS or, if it has none,
/// its common name. After a handshake.
std::vector<std::string> certificate_names(tls_stream& stream);

/// In plain words what `error` of a link's handshake, or of its first read, says about the peer:
/// "it has no certificate". (In TLS 1.3 a client's handshake is done before the server has seen its
/// certificate: that the server refuses it comes with the first read.)
std::string link_failure(tls_stream& stream, const boost::system::error_code& error);

} // namespace rolecall::net
