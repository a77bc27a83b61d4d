#pragma once

#include "app/client/client_error.hpp"
#include "net/http.hpp"

#include <nlohmann/json.hpp>

#include <string>

namespace rolecall::client {

/// A problem (RFC 9457) as lines for people: its detail and code, then each entry of its `errors`
/// on a line of its own. Shows no control characters. Members of a wrong type are left out.
std::string problem_text(const nlohmann::json& problem);

/// The error for an answer that is not 2xx. `what` names the request ("GET /v1/tasks"), `where` the
/// node. 400, 413, 415 and 422 are about what was sent, so they are wrong input.
client_error refusal(const std::string& what, const std::string& where,
                     const net::http_response& response);

/// The error for a call that has no answer.
client_error no_answer(const std::string& where, const net::http_failure& failure);

/// The error for an answer that no node would give: `why` says what is wrong with it.
client_error not_a_node(const std::string& what, const std::string& where, const std::string& why);

} // namespace rolecall::client
