#pragma once

#include <string>
#include <string_view>

namespace rolecall::net {

/// SHA-256 of some bytes, as 64 hex digits in lower case.
std::string sha256_hex(std::string_view bytes);

} // namespace rolecall::net
