#pragma once

#include "app/api/views.hpp"
#include "net/http_server.hpp"

#include <string>

/// What every response has in common.
namespace rolecall::api {

net::http_response json_response(unsigned status, const json& body);
/// `body` is JSON already.
net::http_response json_text_response(unsigned status, std::string body);

/// Adds what the request allows and asks for: an entity tag and 304 (RFC 9110, 13), gzip, and the
/// headers that keep browsers from guessing.
net::http_response finished(const net::http_exchange& request, net::http_response response);

/// Whether `Accept-Encoding` lets a response be compressed with gzip.
bool accepts_gzip(const net::headers& request);
std::string gzip(const std::string& text);

} // namespace rolecall::api
