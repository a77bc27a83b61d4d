#pragma once

#include "messages/values.hpp"
#include "net/http.hpp"

#include <string>

/// What several readers of HTTP answers say alike.
namespace rolecall {

/// "HTTP 503 Service Unavailable"; just the number if it has no name here.
std::string status_text(unsigned status);

/// `Retry-After` of a response; zero if there is none that can be read.
millis retry_after(const net::http_response& response);

/// Code and message of an error body, `{"error":{"code","message"}}`; both empty if it is not one.
struct error_body {
  std::string code;
  std::string message;
};
error_body error_in(const std::string& body);

} // namespace rolecall
