#include "actors/manager/agents_service_protocol.hpp"

#include "actors/http_words.hpp"
#include "messages/json_codec.hpp"

namespace rolecall {

namespace {

using json = nlohmann::json;

constexpr std::size_t max_agents_listed = 100'000;

struct reader {
  const service_config& service;
  const question_options& options;
  std::vector<problem>& problems;

  /// Of a role or an agent.
  template <class Item>
  void read_limit(object_reader& object, Item& into) const {
    auto limit = object.integer("max_concurrency", 1, 1'000'000);
    into.limit_declared = limit.has_value();
    into.max_concurrency = limit ? static_cast<std::uint32_t>(*limit) : options.max_adaptive_limit;
  }

  role_offer offer(const json& value, const std::string& where) const {
    object_reader object{value, where, problems};
    role_offer result;
    result.role = role_name{object.required_name("role").value_or("")};
    result.service = service.name;
    result.skills = read_skills(object, "skills").value_or(skill_map{});
    read_limit(object, result);
    return result;
  }

  agent_record agent(const json& value, const std::string& where) const {
    object_reader object{value, where, problems};
    agent_record result;
    result.key = {service.name, agent_id{object.required_name("agent_id").value_or("")},
                  service.node};
    result.role = role_name{object.required_name("role").value_or("")};
    result.skills = read_skills(object, "skills").value_or(skill_map{});
    read_limit(object, result);
    result.service_url = service.url;
    return result;
  }

  /// Entries with problems are left out, so that they cost the others nothing; gives what to say of
  /// them.
  template <class Item>
  std::string list(const json& body, std::string_view key, std::vector<Item>& into,
                   Item (reader::*read)(const json&, const std::string&) const) const {
    object_reader object{body, "", problems};
    object.required(key);
    const auto* items = object.array(key);
    if (!items)
      return {};
    if (items->size() > max_agents_listed) {
      object.complain(key, "has more than " + std::to_string(max_agents_listed) + " entries");
      return {};
    }
    std::size_t wrong = 0;
    std::string first;
    for (std::size_t i = 0; i < items->size(); ++i) {
      std::vector<problem> own;
      auto item = (reader{service, options, own}.*
                   read)((*items)[i], pointer_child(object.at(key), std::to_string(i)));
      if (own.empty())
        into.push_back(std::move(item));
      else if (++wrong == 1)
        first = to_text(own.front());
    }
    return wrong == 0 ? std::string{}
                      : std::to_string(wrong) + " of " + std::to_string(items->size()) +
                            " entries left out, because not the protocol's: " + first;
  }
};

bool is_success(service_question question, unsigned status) {
  switch (question) {
  case service_question::spawn: return status == 201;
  // 404: it has ended already, which is what was wanted.
  case service_question::retire: return status == 204 || status == 200 || status == 404;
  default: return status == 200;
  }
}

} // namespace

net::http_request to_request(const service_config& service, const service_answer& answer,
                             const question_options& options) {
  net::http_request request;
  request.timeout = options.check_timeout;
  request.connect_timeout = options.check_timeout;
  request.max_body_bytes = 16u << 20;
  switch (answer.question) {
  case service_question::health: request.url = service.url + "/health"; break;
  case service_question::roles: request.url = service.url + "/roles"; break;
  case service_question::agents: request.url = service.url + "/agents"; break;
  case service_question::spawn:
    request.method = "POST";
    request.url = service.url + "/agents";
    request.timeout = options.spawn_timeout;
    request.headers.push_back({"Content-Type", "application/json"});
    request.body = std::make_shared<const std::string>(dump(json{{"role", answer.role.str()}}));
    break;
  case service_question::retire:
    request.method = "DELETE";
    request.url = service.url + "/agents/" + net::encode_path_segment(answer.agent.str());
    break;
  }
  return request;
}

service_answer to_answer(const service_config& service, service_answer answer,
                         const question_options& options, const net::http_result& result) {
  auto what = to_string(answer.question) + " of " + service.url + ": ";
  auto fail = [&](ec kind, const std::string& why) {
    answer.ok = false;
    answer.error = {kind, what + why};
    return answer;
  };
  auto spawning = answer.question == service_question::spawn;
  if (const auto* lost = std::get_if<net::http_failure>(&result))
    return fail(ec::service_unreachable, lost->message);
  const auto& response = std::get<net::http_response>(result);
  if (!is_success(answer.question, response.status)) {
    answer.retry_after = retry_after(response);
    auto said = error_in(response.body);
    answer.final = spawning && response.status == 404;
    return fail(answer.final ? ec::unknown_role : ec::spawn_refused,
                status_text(response.status) + (said.message.empty() ? "" : ": " + said.message));
  }
  answer.ok = true;
  if (answer.question == service_question::health || answer.question == service_question::retire)
    return answer;
  if (answer.question == service_question::agents) {
    auto content = std::hash<std::string_view>{}(response.body) | 1; // 0 is none
    answer.unchanged = content == std::exchange(answer.content, content);
    if (answer.unchanged)
      return answer;
  }
  std::vector<problem> problems;
  std::string left_out;
  auto body = parse_json(response.body, {}, problems);
  if (body) {
    reader read{service, options, problems};
    if (answer.question == service_question::roles)
      left_out = read.list(*body, "roles", answer.roles, &reader::offer);
    else if (answer.question == service_question::agents)
      left_out = read.list(*body, "agents", answer.agents, &reader::agent);
    else
      answer.agents = {read.agent(*body, "")};
  }
  if (problems.empty() && spawning && answer.agents.front().role != answer.role)
    problems.push_back({"/role", "is \"" + answer.agents.front().role.str() + "\", not the \"" +
                                     answer.role.str() + "\" that was asked for"});
  if (problems.empty()) {
    if (!left_out.empty())
      answer.error = {ec::protocol_error, what + left_out};
    return answer;
  }
  answer.roles.clear();
  answer.agents.clear();
  return fail(spawning ? ec::spawn_refused : ec::protocol_error,
              "the answer is not the protocol's: " + to_text(problems.front()));
}

} // namespace rolecall
