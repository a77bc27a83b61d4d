#pragma once

#include "messages/json_reader.hpp"
#include "net/http.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// The protocol of an agents service as values: docs/agents-service.md describes it.
namespace rolecall::agents {

/// The answer to a request of any kind.
struct answer {
  unsigned status{200};
  nlohmann::json body; ///< null: none
  std::optional<std::chrono::seconds> retry_after;
};

/// {"error":{"code","message"}} with that status.
answer refusal(unsigned status, std::string code, std::string message);
/// A refusal that asks the caller to come again in a second.
answer refusal_for_now(unsigned status, std::string code, std::string message);

/// 200 {"status":"failed",...}: the task ran and failed by itself.
answer task_failed(std::string code, std::string message);

/// What an agent wrote, read as the answer to its task: the protocol's own object if it has that
/// form, otherwise the output of a completed task, as JSON if it is JSON and as text if it is not.
/// White space at the end of a text is dropped as far as it is line breaks.
answer answer_from_output(std::string_view text);

/// As an HTTP response. Bytes that are not UTF-8 become U+FFFD.
net::http_response to_response(const answer& value);

/// The body of `execute`.
struct execute_request {
  std::string task_id;
  std::string role;    ///< empty if the request did not name one
  nlohmann::json body; ///< the whole of it, fields that we do not know included
  std::optional<std::chrono::milliseconds> timeout;
};

/// A request to a certain agent need not name its role.
enum class role_field { required, optional };

/// Reads the body of `execute`. Fields that the protocol does not know are no problem: it may grow.
std::optional<execute_request> read_execute(std::string_view text, role_field with_role,
                                            std::vector<problem>& problems);

} // namespace rolecall::agents
