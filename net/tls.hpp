#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>

#include <string>

namespace rolecall::net {

using tls_stream = boost::asio::ssl::stream<boost::asio::ip::tcp::socket&>;

/// A client's TLS settings: 1.2 or newer, the peer's chain verified against `ca_file` (PEM) or, if
/// that is empty, the system's store. Throws `std::runtime_error` if the file cannot be read.
boost::asio::ssl::context make_tls_client_context(const std::string& ca_file);

/// A server's TLS settings: 1.2 or newer, with the certificate chain and the key of PEM files.
/// Throws `std::runtime_error` that names the file if one cannot be read, or if they do not belong
/// together.
boost::asio::ssl::context make_tls_server_context(const std::string& certificate_file,
                                                  const std::string& key_file);

/// Lets connections of `context` show the certificate chain of one PEM file, with the key in
/// another. Throws as `make_tls_server_context` does.
void use_identity(boost::asio::ssl::context& context, const std::string& certificate_file,
                  const std::string& key_file);

/// Lets connections of `context` trust the authorities in a PEM file. Throws as
/// `make_tls_client_context` does.
void trust(boost::asio::ssl::context& context, const std::string& ca_file);

/// To be called before the handshake: sends the name (SNI), and lets the handshake fail unless the
/// certificate is for `host`, a name or an IP address. False if the library could not note that:
/// there must be no handshake then.
[[nodiscard]] bool expect_host(tls_stream& stream, const std::string& host);

/// Whether bytes of the peer are left that have been read from the socket and not from the stream.
bool has_unread_input(tls_stream& stream);

/// What went wrong in a handshake that ended with `error`: why the certificate was refused, if it
/// was, or else the error in the library's words.
std::string handshake_failure(tls_stream& stream, const boost::system::error_code& error);

} // namespace rolecall::net
