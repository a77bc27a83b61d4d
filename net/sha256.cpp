#include "net/sha256.hpp"

#include <openssl/evp.h>

#include <array>
#include <new>

namespace rolecall::net {

std::string sha256_hex(std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  // Looked up once: OpenSSL 3 would do it for each text, which takes longer than a short one.
  static const EVP_MD* sha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  // Known text and a built-in algorithm: only memory can be missing.
  if (!sha256 || EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, sha256, nullptr) != 1)
    throw std::bad_alloc{};
  std::string result;
  result.reserve(2 * std::size_t{size});
  for (unsigned i = 0; i < size; ++i) {
    result += "0123456789abcdef"[digest[i] >> 4];
    result += "0123456789abcdef"[digest[i] & 15];
  }
  return result;
}

} // namespace rolecall::net
