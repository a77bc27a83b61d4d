#pragma once

#include <filesystem>
#include <string>

namespace rolecall::net::test {

/// A certificate and its private key, as PEM texts.
struct identity {
  std::string certificate;
  std::string key;
};

/// What a certificate may say beside whom it is for.
struct certificate_traits {
  std::string common_name{"rolecall test server"};
  bool expired{false};
  std::string extended_usage{}; ///< as OpenSSL writes it: "serverAuth"; none: any
};

/// A certificate authority that exists for as long as a test, with a key made for it.
class authority {
public:
  explicit authority(const std::string& name = "rolecall test authority");
  ~authority();
  authority(const authority&) = delete;
  authority& operator=(const authority&) = delete;

  /// A certificate for `subject_alternative`, as OpenSSL writes it: "DNS:localhost",
  /// "IP:127.0.0.1".
  identity issue(const std::string& subject_alternative,
                 const certificate_traits& traits = {}) const;

  /// The PEM file with the authority's own certificate.
  std::string file() const { return file_.string(); }

private:
  identity self_;
  std::filesystem::path file_;
};

} // namespace rolecall::net::test
