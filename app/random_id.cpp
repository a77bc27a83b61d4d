#include "app/random_id.hpp"

#include <openssl/rand.h>

#include <stdexcept>

namespace rolecall {

std::string random_hex(std::size_t digits) {
  std::string bytes((digits + 1) / 2, '\0');
  if (RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(bytes.size())) !=
      1)
    throw std::runtime_error{"the system has no random numbers"};
  std::string result;
  for (unsigned char byte : bytes) {
    result += "0123456789abcdef"[byte >> 4];
    result += "0123456789abcdef"[byte & 15];
  }
  result.resize(digits);
  return result;
}

} // namespace rolecall
