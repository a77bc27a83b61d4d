#pragma once

#include <cstddef>
#include <string>

namespace rolecall {

/// So many hexadecimal digits from the system's source of randomness: unique over restarts, too.
std::string random_hex(std::size_t digits);

} // namespace rolecall
