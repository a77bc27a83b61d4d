#include "actors/workers/connectors/agents_service_connector.hpp"

#include "actors/http_words.hpp"
#include "messages/json_codec.hpp"
#include "messages/json_writer.hpp"

namespace rolecall {

namespace {

using json = nlohmann::json;

ec kind_of(net::http_errc code) {
  switch (code) {
  case net::http_errc::connect_failed: return ec::connect_failed;
  case net::http_errc::tls_failed: return ec::tls_failed;
  case net::http_errc::timeout: return ec::timeout;
  case net::http_errc::connection_lost: return ec::connection_lost;
  case net::http_errc::too_large: return ec::too_large;
  case net::http_errc::canceled:
  case net::http_errc::shut_down: return ec::canceled;
  case net::http_errc::invalid_request:
  case net::http_errc::malformed: return ec::protocol_error;
  case net::http_errc::overloaded: return ec::queue_full;
  }
  return ec::protocol_error;
}

/// Whether a status is the agent's or the network's fault, so that another attempt may succeed.
bool is_retryable(unsigned status) {
  return status == 408 || status == 425 || status == 429 || status >= 500;
}

std::string agent_url(const std::string& service_url, const agent_id& agent) {
  std::string result;
  result.reserve(service_url.size() + agent.str().size() + 32); // and what comes behind it
  return result.append(service_url)
      .append("/agents/")
      .append(net::encode_path_segment(agent.str()));
}

struct interpreter {
  const attempt_request& attempt;
  attempt_outcome outcome;

  std::string agent() const {
    return "agent " + to_string(attempt.agent) + " at " + attempt.service_url;
  }

  void fail(verdict what, ec kind, const std::string& why) {
    outcome.verdict = what;
    outcome.error = {kind, agent() + ": " + why};
  }

  void operator()(const net::http_failure& lost) {
    auto kind = kind_of(lost.code);
    auto what = kind == ec::canceled ? verdict::canceled : verdict::retryable;
    if (kind == ec::timeout)
      fail(what, kind, "no answer within " + std::to_string(attempt.timeout.count()) + " ms");
    else
      fail(what, kind, lost.message);
    outcome.agent_gone = kind == ec::connect_failed || kind == ec::connection_lost;
  }

  void operator()(const net::http_response& response) {
    if (response.status == 200)
      return read_answer(response.body);
    auto said = error_in(response.body);
    auto why = status_text(response.status) + (said.message.empty() ? "" : ": " + said.message);
    outcome.park = retry_after(response);
    if (response.status == 404) {
      fail(verdict::retryable, ec::unknown_agent, why);
      outcome.agent_gone = true;
    } else if (response.status == 429) {
      fail(verdict::retryable, ec::agent_busy, why);
    } else if (is_retryable(response.status)) {
      fail(verdict::retryable, ec::http_status, why);
    } else if (response.status >= 400) {
      fail(verdict::failed, ec::http_status, why);
    } else {
      fail(verdict::retryable, ec::protocol_error, why + " where 200 is expected");
    }
  }

  void broken(const std::string& why) {
    fail(verdict::retryable, ec::protocol_error, "the answer is not the protocol's: " + why);
  }

  void read_answer(const std::string& body) {
    std::vector<problem> problems;
    auto value = parse_json(body, {SIZE_MAX, max_payload_depth}, problems);
    if (!value)
      return broken(to_text(problems.front()));
    if (!value->is_object())
      return broken("it is not a JSON object");
    auto status = value->value("status", json{});
    if (status == "completed")
      return completed(*value);
    if (status == "failed")
      return failed(*value);
    broken("\"status\" is neither \"completed\" nor \"failed\"");
  }

  void completed(const json& value) {
    auto output = value.find("output");
    if (output == value.end())
      return broken("\"output\" is missing");
    outcome.verdict = verdict::completed;
    outcome.output = json_text{dump(*output)};
  }

  void failed(const json& value) {
    std::vector<problem> problems;
    auto error = value.find("error");
    if (error == value.end() || !error->is_object() || !error->contains("code") ||
        !(*error)["code"].is_string())
      return broken("\"error\" is not {\"code\",\"message\"}");
    auto message = error->find("message");
    outcome.verdict = verdict::failed;
    outcome.error = {ec::agent_failed, message != error->end() && message->is_string()
                                           ? message->get<std::string>()
                                           : std::string{}};
    outcome.error.code = (*error)["code"].get<std::string>();
  }
};

} // namespace

net::http_request to_request(const cancel_notice& notice) {
  net::http_request request;
  request.method = "DELETE";
  request.url = agent_url(notice.service_url, notice.agent) + "/tasks/" +
                net::encode_path_segment(notice.task.str());
  request.headers = {{"Accept", "application/json"},
                     {"Rolecall-Attempt", std::to_string(notice.attempt)}};
  request.max_body_bytes = 64u << 10; // an error's; nobody reads it
  return request;
}

net::http_request to_request(const attempt_request& attempt) {
  net::http_request request;
  request.method = "POST";
  request.url = agent_url(attempt.service_url, attempt.agent.id);
  request.url += "/execute";
  auto& headers = request.headers; // one by one: a list of them would be copied
  headers.reserve(5);
  headers.push_back({"Content-Type", "application/json"});
  headers.push_back({"Accept", "application/json"});
  // Ids may hold what a header must not.
  headers.push_back({"Idempotency-Key", net::encode_path_segment(attempt.task.str())});
  headers.push_back({"traceparent", attempt.traceparent});
  if (attempt.health_check)
    headers.push_back({"Rolecall-Health-Check", "true"});
  request.timeout = attempt.timeout;
  std::string text;
  constexpr std::size_t of_its_own = 192;
  text.reserve(of_its_own + attempt.task.str().size() + attempt.context_id.size() +
               attempt.dependencies.str().size() + attempt.input.str().size());
  object_writer body{text};
  body.add("task_id", attempt.task.str());
  body.add("attempt", attempt.attempt);
  body.add("role", attempt.role.str());
  body.add("timeout_ms", attempt.timeout.count());
  if (attempt.deadline != millis{0})
    body.add("deadline_ms", attempt.deadline.count());
  if (!attempt.context_id.empty())
    body.add("context_id", attempt.context_id);
  if (!attempt.dependencies.empty())
    body.add_json("dependencies", attempt.dependencies.str());
  body.add_json("input", attempt.input.str());
  body.end();
  request.body = std::make_shared<const std::string>(std::move(text));
  return request;
}

attempt_outcome to_outcome(const attempt_request& attempt, const net::http_result& result) {
  interpreter read{attempt, {}};
  read.outcome.task = attempt.task;
  read.outcome.attempt = attempt.attempt;
  read.outcome.agent = attempt.agent;
  std::visit(read, result);
  return std::move(read.outcome);
}

} // namespace rolecall
