#pragma once

#include "net/http.hpp"

#include <nlohmann/json.hpp>

#include <map>
#include <optional>
#include <set>
#include <string>

namespace rolecall::tests {

/// An agents service without a network: answers the manager's questions from plain data that the
/// test reads and changes.
class fake_service {
public:
  std::map<std::string, unsigned> roles{
      {"reviewer", 1}};                      // role → max_concurrency; 0: none is named
  std::map<std::string, std::string> agents; // agent id → role
  std::vector<std::string> skills;           // of what is spawned from now on
  std::size_t spawns{0};
  std::size_t capacity{1'000};
  std::map<std::string, std::string> nonsense; // agent id → what it says of its limit
  bool reachable{true};
  /// Answers to spawns instead of agents; taken one after the other.
  std::vector<net::http_response> spawn_answers;

  /// None for what is not the manager's: executions are left to the test.
  std::optional<net::http_result> operator()(const net::http_request& request) {
    if (request.url.find("/execute") != std::string::npos)
      return std::nullopt;
    if (!reachable)
      return net::http_failure{net::http_errc::connect_failed,
                               "cannot connect to service:80: Connection refused"};
    return answer(request);
  }

private:
  using json = nlohmann::json;

  net::http_response answer(const net::http_request& request) {
    auto path = request.url.substr(std::string{"http://service"}.size());
    if (path == "/health")
      return {200, {}, ""};
    if (path == "/roles") {
      auto list = json::array();
      for (const auto& [role, limit] : roles)
        list.push_back(limited({{"role", role}, {"skills", proficient(skills)}}, limit));
      return {200, {}, json{{"roles", list}}.dump()};
    }
    if (path == "/agents" && request.method == "GET") {
      auto list = json::array();
      for (const auto& [id, role] : agents) {
        list.push_back(describe(id, role));
        if (auto limit = nonsense.find(id); limit != nonsense.end())
          list.back()["max_concurrency"] = limit->second;
      }
      return {200, {}, json{{"agents", list}}.dump()};
    }
    if (path == "/agents")
      return spawn(json::parse(*request.body)["role"]);
    auto id = path.substr(std::string{"/agents/"}.size());
    return agents.erase(id) == 1 ? net::http_response{204, {}, ""}
                                 : net::http_response{404, {}, "{}"};
  }

  net::http_response spawn(const std::string& role) {
    if (!spawn_answers.empty()) {
      auto answer = spawn_answers.front();
      spawn_answers.erase(spawn_answers.begin());
      return answer;
    }
    if (agents.size() >= capacity)
      return {429, {{"Retry-After", "1"}}, R"({"error":{"code":"no_capacity","message":"full"}})"};
    auto id = role + "-" + std::to_string(++spawns);
    agents[id] = role;
    skilled_[id] = skills;
    return {201, {}, describe(id, role).dump()};
  }

  static json proficient(const std::vector<std::string>& names) {
    auto result = json::object();
    for (const auto& name : names)
      result[name] = 1;
    return result;
  }

  json describe(const std::string& id, const std::string& role) const {
    static const std::vector<std::string> none;
    return limited({{"agent_id", id},
                    {"role", role},
                    {"skills", proficient(skilled_.contains(id) ? skilled_.at(id) : none)},
                    {"state", "idle"}},
                   roles.contains(role) ? roles.at(role) : 1);
  }

  static json limited(json item, unsigned limit) {
    if (limit > 0)
      item["max_concurrency"] = limit;
    return item;
  }

  std::map<std::string, std::vector<std::string>> skilled_; // agent id → its skills
};

} // namespace rolecall::tests
