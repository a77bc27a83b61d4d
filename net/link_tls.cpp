#include "net/link_tls.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/ssl/error.hpp>

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string_view>

namespace rolecall::net {

namespace ssl = boost::asio::ssl;

namespace {

using certificate_ptr = std::unique_ptr<X509, decltype(&X509_free)>;
using names_ptr = std::unique_ptr<GENERAL_NAMES, decltype(&GENERAL_NAMES_free)>;

std::string text_of(const ASN1_STRING* text) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
          static_cast<std::size_t>(ASN1_STRING_length(text))};
}

std::vector<std::string> alternative_names(X509* certificate) {
  auto* found = X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr);
  names_ptr all{static_cast<GENERAL_NAMES*>(found), GENERAL_NAMES_free};
  std::vector<std::string> result;
  for (int i = 0; i < sk_GENERAL_NAME_num(all.get()); ++i) {
    const auto* name = sk_GENERAL_NAME_value(all.get(), i);
    if (name->type == GEN_DNS)
      result.push_back(text_of(name->d.dNSName));
  }
  return result;
}

std::vector<std::string> common_name(X509* certificate) {
  auto* subject = X509_get_subject_name(certificate);
  auto at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (at < 0)
    return {};
  return {text_of(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)))};
}

std::string wrong_with_certificate(long verdict) {
  switch (verdict) {
  case X509_V_ERR_CERT_HAS_EXPIRED: return "its certificate has expired";
  case X509_V_ERR_CERT_NOT_YET_VALID:
    return "its certificate is not valid yet: look at the clocks of both machines";
  case X509_V_ERR_INVALID_PURPOSE:
    return "its certificate may not be used for both ends of a connection: its extended key usage "
           "needs serverAuth and clientAuth";
  case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
  case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
  case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
  case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
  case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
  case X509_V_ERR_CERT_SIGNATURE_FAILURE:
    return "its certificate is not signed by this cluster's CA";
  default:
    return std::string{"its certificate cannot be trusted: "} +
           X509_verify_cert_error_string(verdict);
  }
}

/// What an alert of the peer is about (RFC 8446, section 6.2).
bool is_about_certificate(int alert) {
  switch (alert) {
  case SSL_AD_BAD_CERTIFICATE:
  case SSL_AD_UNSUPPORTED_CERTIFICATE:
  case SSL_AD_CERTIFICATE_REVOKED:
  case SSL_AD_CERTIFICATE_EXPIRED:
  case SSL_AD_CERTIFICATE_UNKNOWN:
  case SSL_AD_UNKNOWN_CA:
  case SSL_AD_DECRYPT_ERROR: // of the signature under our certificate, most likely
  case SSL_AD_CERTIFICATE_REQUIRED: return true;
  default: return false;
  }
}

std::string wrong_with_protocol(const boost::system::error_code& error) {
  auto reason = ERR_GET_REASON(static_cast<unsigned long>(error.value()));
  switch (reason) {
  case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE: return "it has no certificate";
  case SSL_R_HTTP_REQUEST:
  case SSL_R_HTTPS_PROXY_REQUEST:
  case SSL_R_UNSUPPORTED_PROTOCOL:
  case SSL_R_WRONG_VERSION_NUMBER: return "it does not speak TLS 1.3 (" + error.message() + ")";
  default: break;
  }
  if (reason < SSL_AD_REASON_OFFSET)
    return "TLS with it failed (" + error.message() + ")";
  if (is_about_certificate(reason - SSL_AD_REASON_OFFSET))
    return "it does not accept this node's certificate (" + error.message() + ")";
  return "it refuses the connection (" + error.message() + ")";
}

} // namespace

ssl::context make_link_context(const link_tls& files, ssl::stream_base::handshake_type side) {
  ssl::context context{side == ssl::stream_base::server ? ssl::context::tls_server
                                                        : ssl::context::tls_client};
  auto* native = context.native_handle();
  SSL_CTX_set_min_proto_version(native, TLS1_3_VERSION);
  // A resumed link would not look at certificates that have been renewed or have expired.
  SSL_CTX_set_session_cache_mode(native, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(native, 0);
  context.set_verify_mode(ssl::verify_peer | ssl::verify_fail_if_no_peer_cert);
  use_identity(context, files.certificate, files.key);
  trust(context, files.ca);
  return context;
}

std::vector<std::string> certificate_names(tls_stream& stream) {
  certificate_ptr certificate{SSL_get1_peer_certificate(stream.native_handle()), X509_free};
  if (!certificate)
    return {};
  auto result = alternative_names(certificate.get());
  return result.empty() ? common_name(certificate.get()) : result;
}

std::string link_failure(tls_stream& stream, const boost::system::error_code& error) {
  auto verdict = SSL_get_verify_result(stream.native_handle());
  if (verdict != X509_V_OK)
    return wrong_with_certificate(verdict);
  if (error.category() == boost::asio::error::get_ssl_category())
    return wrong_with_protocol(error);
  return "it closed the connection (" + error.message() + "): perhaps it does not speak TLS";
}

} // namespace rolecall::net
