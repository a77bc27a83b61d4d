#include "tests/net/certificates.hpp"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <unistd.h>

#include <atomic>
#include <fstream>
#include <memory>
#include <stdexcept>

namespace rolecall::net::test {

namespace {

using key_ptr = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using certificate_ptr = std::unique_ptr<X509, decltype(&X509_free)>;
using bio_ptr = std::unique_ptr<BIO, decltype(&BIO_free)>;

void check(bool good) {
  if (!good)
    throw std::runtime_error{"OpenSSL cannot make a certificate"};
}

std::string text_of(BIO* bio) {
  char* data = nullptr;
  auto size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

bio_ptr reader(const std::string& text) {
  return {BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), BIO_free};
}

void add_extension(X509* certificate, int nid, const std::string& value) {
  auto* extension = X509V3_EXT_conf_nid(nullptr, nullptr, nid, value.c_str());
  check(extension != nullptr);
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

/// Signed by `issuer`, or by itself if that is null.
identity make(const certificate_traits& traits, const identity* issuer, int nid,
              const std::string& value) {
  static std::atomic<long> serial{1};
  constexpr long an_hour = 3'600;
  key_ptr key{EVP_EC_gen("P-256"), EVP_PKEY_free};
  certificate_ptr certificate{X509_new(), X509_free};
  check(key && certificate);
  auto* x509 = certificate.get();
  X509_set_version(x509, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(x509), serial++);
  X509_gmtime_adj(X509_getm_notBefore(x509), -an_hour);
  X509_gmtime_adj(X509_getm_notAfter(x509), traits.expired ? -1 : an_hour);
  X509_set_pubkey(x509, key.get());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(x509), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(traits.common_name.c_str()), -1,
                             -1, 0);
  add_extension(x509, nid, value);
  if (!traits.extended_usage.empty())
    add_extension(x509, NID_ext_key_usage, traits.extended_usage);
  key_ptr signer{nullptr, EVP_PKEY_free};
  if (issuer) {
    auto certificate_bio = reader(issuer->certificate);
    auto key_bio = reader(issuer->key);
    certificate_ptr parent{PEM_read_bio_X509(certificate_bio.get(), nullptr, nullptr, nullptr),
                           X509_free};
    signer.reset(PEM_read_bio_PrivateKey(key_bio.get(), nullptr, nullptr, nullptr));
    check(parent && signer);
    X509_set_issuer_name(x509, X509_get_subject_name(parent.get()));
  } else {
    X509_set_issuer_name(x509, X509_get_subject_name(x509));
  }
  check(X509_sign(x509, signer ? signer.get() : key.get(), EVP_sha256()) > 0);
  bio_ptr certificate_text{BIO_new(BIO_s_mem()), BIO_free};
  bio_ptr key_text{BIO_new(BIO_s_mem()), BIO_free};
  check(PEM_write_bio_X509(certificate_text.get(), x509) == 1 &&
        PEM_write_bio_PrivateKey(key_text.get(), key.get(), nullptr, nullptr, 0, nullptr,
                                 nullptr) == 1);
  return {text_of(certificate_text.get()), text_of(key_text.get())};
}

std::filesystem::path unique_file() {
  static std::atomic<int> count{0};
  return std::filesystem::temp_directory_path() /
         ("rolecall-test-" + std::to_string(::getpid()) + "-" + std::to_string(count++) + ".pem");
}

} // namespace

authority::authority(const std::string& name)
    : self_{make({.common_name = name}, nullptr, NID_basic_constraints, "critical,CA:TRUE")},
      file_{unique_file()} {
  std::ofstream{file_} << self_.certificate;
}

authority::~authority() {
  std::error_code ignored;
  std::filesystem::remove(file_, ignored);
}

identity authority::issue(const std::string& subject_alternative,
                          const certificate_traits& traits) const {
  return make(traits, &self_, NID_subject_alt_name, subject_alternative);
}

} // namespace rolecall::net::test
