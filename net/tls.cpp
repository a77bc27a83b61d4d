#include "net/tls.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ssl/error.hpp>

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <array>
#include <stdexcept>

namespace rolecall::net {

namespace ssl = boost::asio::ssl;

namespace {

/// The one protocol that is spoken here, as ALPN (RFC 7301) lists it.
constexpr std::array<unsigned char, 9> http_1_1{8, 'h', 't', 't', 'p', '/', '1', '.', '1'};

[[noreturn]] void fail(const std::string& what, const boost::system::error_code& error) {
  throw std::runtime_error{what + ": " + error.message()};
}

} // namespace

void use_identity(ssl::context& context, const std::string& certificate_file,
                  const std::string& key_file) {
  boost::system::error_code error;
  context.use_certificate_chain_file(certificate_file, error);
  if (error)
    fail("cannot use the certificate in " + certificate_file, error);
  context.use_private_key_file(key_file, ssl::context::pem, error);
  if (error)
    fail("cannot use the key in " + key_file, error);
}

void trust(ssl::context& context, const std::string& ca_file) {
  boost::system::error_code error;
  context.load_verify_file(ca_file, error);
  if (error)
    fail("cannot read the certificates in " + ca_file, error);
}

ssl::context make_tls_client_context(const std::string& ca_file) {
  ssl::context context{ssl::context::tls_client};
  SSL_CTX_set_min_proto_version(context.native_handle(), TLS1_2_VERSION);
  context.set_verify_mode(ssl::verify_peer);
  boost::system::error_code error;
  if (ca_file.empty())
    context.set_default_verify_paths(error);
  else
    trust(context, ca_file);
  if (error)
    fail("cannot read the certificates in the system's store", error);
  SSL_CTX_set_alpn_protos(context.native_handle(), http_1_1.data(), http_1_1.size());
  return context;
}

ssl::context make_tls_server_context(const std::string& certificate_file,
                                     const std::string& key_file) {
  ssl::context context{ssl::context::tls_server};
  SSL_CTX_set_min_proto_version(context.native_handle(), TLS1_2_VERSION);
  use_identity(context, certificate_file, key_file);
  SSL_CTX_set_alpn_select_cb(
      context.native_handle(),
      [](SSL*, const unsigned char** chosen, unsigned char* size, const unsigned char* offered,
         unsigned offered_size, void*) {
        // The result points into what was offered, or into ours: neither is written to.
        auto* result = const_cast<unsigned char**>(chosen);
        return SSL_select_next_proto(result, size, http_1_1.data(), http_1_1.size(), offered,
                                     offered_size) == OPENSSL_NPN_NEGOTIATED
                   ? SSL_TLSEXT_ERR_OK
                   : SSL_TLSEXT_ERR_ALERT_FATAL;
      },
      nullptr);
  return context;
}

bool expect_host(tls_stream& stream, const std::string& host) {
  auto* native = stream.native_handle();
  boost::system::error_code not_an_address;
  boost::asio::ip::make_address(host, not_an_address);
  // An address is no server name (RFC 6066), and is compared with another part of the certificate.
  if (!not_an_address)
    return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(native), host.c_str()) == 1;
  SSL_set_hostflags(native, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  // SSL_ctrl: the macro SSL_set_tlsext_host_name, spelled without its C cast.
  return SSL_set1_host(native, host.c_str()) == 1 &&
         SSL_ctrl(native, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
                  const_cast<char*>(host.c_str())) == 1;
}

bool has_unread_input(tls_stream& stream) {
  auto* native = stream.native_handle();
  return SSL_pending(native) > 0 || BIO_ctrl_pending(SSL_get_rbio(native)) > 0;
}

std::string handshake_failure(tls_stream& stream, const boost::system::error_code& error) {
  auto verdict = SSL_get_verify_result(stream.native_handle());
  if (verdict != X509_V_OK)
    return X509_verify_cert_error_string(verdict);
  return error.message();
}

} // namespace rolecall::net
