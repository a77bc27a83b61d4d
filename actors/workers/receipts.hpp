#pragma once

#include "messages/attempts.hpp"
#include "net/http.hpp"

/// Receipts of exchanges with agents, whatever the connector. Pure.
namespace rolecall {

/// The part that is known before the request is sent. Of the URL neither user info nor query is
/// kept: secrets are put there.
receipt receipt_of(const net::http_request& request, const std::string& node);

/// Adds what came back: a whole answer, or what there was of one.
void complete(receipt& sent, const net::http_result& result);

} // namespace rolecall
