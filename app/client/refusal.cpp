#include "app/client/refusal.hpp"

#include "app/terminal.hpp"
#include "messages/json_reader.hpp"

namespace rolecall::client {

namespace {

using json = nlohmann::json;

// Texts come from whoever answers under that address: they are shown, but not for ever.
constexpr std::size_t max_text = 2'000;
constexpr std::size_t max_errors = 50;
constexpr json_limits problem_limits{1u << 20, 32};

std::string text_of(const json& object, const char* key) {
  auto found = object.find(key);
  return found != object.end() && found->is_string() ? cut(found->get<std::string>(), max_text)
                                                     : std::string{};
}

std::string place_of(const json& entry) {
  if (auto parameter = text_of(entry, "parameter"); !parameter.empty())
    return parameter;
  return text_of(entry, "pointer");
}

std::string advice(unsigned status) {
  switch (status) {
  case 401:
    return "\n  give the node's token in the environment variable ROLECALL_TOKEN or in a file with "
           "--token-file";
  case 403:
    return "\n  the token does not have the right for this, or the node allows it to nobody";
  default: return "";
  }
}

} // namespace

std::string problem_text(const json& problem) {
  auto detail = text_of(problem, "detail");
  auto title = text_of(problem, "title");
  auto code = text_of(problem, "code");
  auto result = detail.empty() ? title : detail;
  if (!code.empty())
    result += (result.empty() ? "" : " ") + ("(" + code + ")");
  auto errors = problem.find("errors");
  if (errors == problem.end() || !errors->is_array())
    return result;
  for (std::size_t i = 0; i < errors->size() && i < max_errors; ++i) {
    const auto& entry = (*errors)[i];
    if (!entry.is_object())
      continue;
    auto place = place_of(entry);
    result += "\n  " + (place.empty() ? "" : place + ": ") + text_of(entry, "detail");
  }
  if (errors->size() > max_errors)
    result += "\n  and " + std::to_string(errors->size() - max_errors) + " more";
  return result;
}

client_error refusal(const std::string& what, const std::string& where,
                     const net::http_response& response) {
  auto status = response.status;
  std::vector<problem> ignored;
  auto problem = parse_json(response.body, problem_limits, ignored);
  auto text = problem && problem->is_object() ? problem_text(*problem) : std::string{};
  if (text.empty()) // a proxy, or something else than a node
    text = what + ": HTTP status " + std::to_string(status) + " from " + where +
           (response.body.empty() ? "" : ", without the details that a node would give");
  if (auto wait = net::find_header(response.headers, "Retry-After"))
    text += "\n  try again after " + cut(std::string{*wait}, 40) + " (Retry-After)";
  auto about_input = status == 400 || status == 413 || status == 415 || status == 422;
  client_error error{text + advice(status),
                     about_input ? exit_codes::wrong_input : exit_codes::failure};
  error.status = status;
  return error;
}

client_error no_answer(const std::string& where, const net::http_failure& failure) {
  auto text = printable(failure.message);
  switch (failure.code) {
  case net::http_errc::connect_failed:
    return client_error{text + "\n  is a node running at " + where +
                        "? Start one with \"rolecall node\", or name another with --node"};
  case net::http_errc::tls_failed:
    return client_error{text + "\n  a certificate that no public authority signed needs --ca"};
  case net::http_errc::invalid_request: return wrong_input(text);
  default: return client_error{text};
  }
}

client_error not_a_node(const std::string& what, const std::string& where, const std::string& why) {
  return client_error{what + ": the answer of " + where + " is not that of a rolecall node: " +
                      why + "\n  check --node, or the environment variable ROLECALL_NODE"};
}

} // namespace rolecall::client
