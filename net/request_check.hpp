#pragma once

#include "net/message_parser.hpp"

namespace rolecall::net {

/// What a parsed request must be beyond its grammar (RFC 9112, 3.2): one Host header in HTTP/1.1,
/// and a target that is a path, `*` for OPTIONS, or an absolute URL, which is cut down to its path.
/// Gives what is wrong, or null.
const char* make_origin_form(message& request);

} // namespace rolecall::net
