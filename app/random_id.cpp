#include "app/random_id.hpp"

#include <openssl/rand.h>

#include <array>
#include <stdexcept>
#include <utility>

namespace rolecall {

std::string random_hex(std::size_t digits) {
  // Drawn in advance: a call of the generator takes longer than all the rest of an id.
  constexpr std::size_t at_once = 512;
  thread_local std::array<unsigned char, at_once> drawn;
  thread_local std::size_t used = at_once;
  std::string result(digits, '\0');
  for (std::size_t i = 0; i < digits; i += 2) {
    if (used == at_once) {
      if (RAND_bytes(drawn.data(), static_cast<int>(at_once)) != 1)
        throw std::runtime_error{"the system has no random numbers"};
      used = 0;
    }
    auto byte = std::exchange(drawn[used++], static_cast<unsigned char>(0)); // it may be a secret
    result[i] = "0123456789abcdef"[byte >> 4];
    if (i + 1 < digits)
      result[i + 1] = "0123456789abcdef"[byte & 15];
  }
  return result;
}

} // namespace rolecall
