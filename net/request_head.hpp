#pragma once

#include "net/http.hpp"

#include <string>
#include <string_view>

namespace rolecall::net {

/// Why a request cannot be sent: a method or a header that would change the shape of the message,
/// or a header that the client writes itself. Empty if it can. Never tells a header's value.
std::string wrong_with(const http_request& request);

/// The request line and the headers, with the empty line that ends them. `request` has nothing
/// wrong with it; `target` and `authority` are those of its URL.
std::string request_head(const http_request& request, std::string_view target,
                         std::string_view authority, std::string_view user_agent);

} // namespace rolecall::net
