#include "net/sha256.hpp"

#include <openssl/evp.h>

#include <array>
#include <memory>
#include <new>

namespace rolecall::net {

std::string sha256_hex(std::string_view bytes) {
  // Looked up and set up once: OpenSSL 3 would do it for each text, which takes longer than a short
  // one.
  static const EVP_MD* sha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  struct release {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };
  thread_local const std::unique_ptr<EVP_MD_CTX, release> context{EVP_MD_CTX_new()};
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  // Known text and a built-in algorithm: only memory can be missing.
  if (!sha256 || !context || EVP_DigestInit_ex2(context.get(), sha256, nullptr) != 1 ||
      EVP_DigestUpdate(context.get(), bytes.data(), bytes.size()) != 1 ||
      EVP_DigestFinal_ex(context.get(), digest.data(), &size) != 1)
    throw std::bad_alloc{};
  std::string result(2 * std::size_t{size}, '\0');
  for (unsigned i = 0; i < size; ++i) {
    result[2 * i] = "0123456789abcdef"[digest[i] >> 4];
    result[2 * i + 1] = "0123456789abcdef"[digest[i] & 15];
  }
  return result;
}

} // namespace rolecall::net
