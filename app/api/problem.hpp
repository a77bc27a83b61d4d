#pragma once

#include "messages/errors.hpp"
#include "messages/json_reader.hpp"
#include "net/http.hpp"

#include <caf/error.hpp>

#include <string>
#include <vector>

namespace rolecall::api {

/// What is wrong with a request, as the client is told it (RFC 9457). The title, the status and the
/// meaning of each code are in errors.json.
struct problem_details {
  std::string code;
  std::string detail;
  std::vector<problem> errors{}; ///< of a body or a query, all of them
  net::headers headers{};        ///< that go with the response
};

/// One entry of errors.json.
struct error_entry {
  std::string code;
  unsigned status{0}; ///< 0: never the answer to a request, only in a task's error
  std::string title;
  std::string meaning;
  std::string remedy;
};

/// All codes, in the order of their names.
const std::vector<error_entry>& error_catalogue();
/// The entry of a code; that of "internal_error" if there is none.
const error_entry& entry_of(std::string_view code);

/// The body of a problem, also as it stands in an NDJSON answer.
nlohmann::ordered_json to_json(const problem_details& what);
net::http_response to_response(const problem_details& what);

/// What an actor's refusal, or its silence, means to the client.
problem_details to_problem(const caf::error& error);
problem_details to_problem(const failure& why);

/// "1 agent", "2 agents".
std::string count_of(std::size_t count, const std::string& what);

/// The page that `type` leads to: every code, what it means, what to do.
std::string errors_page();

} // namespace rolecall::api
