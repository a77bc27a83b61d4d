#include "app/random_id.hpp"

#include <random>

namespace rolecall {

std::string random_hex(std::size_t digits) {
  std::random_device source;
  std::string result(digits, '0');
  for (auto& digit : result)
    digit = "0123456789abcdef"[source() % 16];
  return result;
}

} // namespace rolecall
