#pragma once

#include "actors/workers/cancel_line.hpp"
#include "messages/values.hpp"
#include "net/http.hpp"

/// The connector for agents services (docs/agents-service.md): an attempt as an HTTP request, an
/// HTTP response as an outcome. Pure.
namespace rolecall {

/// `POST /agents/{id}/execute`. The attempt's timeout bounds the whole exchange. A health check has
/// the header `Rolecall-Health-Check`.
net::http_request to_request(const attempt_request& attempt);

/// `DELETE /agents/{id}/tasks/{task_id}`. Its header `Rolecall-Attempt` keeps a service that looks
/// from ending a later attempt of the same task in its place.
net::http_request to_request(const cancel_notice& notice);

/// What the end of the exchange means for the attempt. `elapsed` and the receipt are not filled in.
attempt_outcome to_outcome(const attempt_request& attempt, const net::http_result& result);

} // namespace rolecall
