#include "app/config_routing.hpp"

#include <array>

namespace rolecall {

namespace {

using json = nlohmann::json;

constexpr std::array policies{routing_policy::adaptive, routing_policy::least_requests,
                              routing_policy::p2c, routing_policy::round_robin,
                              routing_policy::random};

std::optional<routing_policy> read_policy(object_reader& object) {
  auto name = object.string("policy");
  if (!name)
    return std::nullopt;
  for (auto policy : policies)
    if (to_string(policy) == *name)
      return policy;
  object.complain("policy", "must be adaptive, least-requests, p2c, round-robin or random, not \"" +
                                *name + "\"");
  return std::nullopt;
}

std::optional<start_limit> read_limit(object_reader& parent, const char* key,
                                      std::vector<problem>& problems) {
  const auto* value = parent.object(key);
  if (!value)
    return std::nullopt;
  object_reader object{*value, parent.at(key), problems};
  start_limit result;
  result.max_parallel =
      static_cast<std::uint32_t>(object.integer("max_parallel", 0, 1'000'000).value_or(0));
  result.per_second = object.number("per_second", 0, 1e6).value_or(0);
  result.burst = static_cast<std::uint32_t>(object.integer("burst", 1, 1'000'000).value_or(1));
  object.finish();
  return result;
}

} // namespace

void read_routing(const json& value, std::vector<problem>& problems, router_options& result,
                  question_options& questions) {
  object_reader object{value, "/routing", problems};
  result.policy = read_policy(object).value_or(result.policy);
  result.latency_tau = object.duration("latency_window", millis{100}).value_or(result.latency_tau);
  result.patience = object.number("patience", 0, 10).value_or(result.patience);
  if (const auto* weights = object.object("weights")) {
    object_reader each{*weights, "/routing/weights", problems};
    auto& into = result.weights;
    into.skill = each.number("skill", 0, 10).value_or(into.skill);
    into.success = each.number("success", 0, 10).value_or(into.success);
    into.affinity = each.number("affinity", 0, 0.9).value_or(into.affinity);
    each.finish();
  }
  if (const auto* ejection = object.object("ejection")) {
    object_reader each{*ejection, "/routing/ejection", problems};
    auto& into = result.ejection;
    into.failures =
        static_cast<std::uint32_t>(each.integer("failures", 0, 1'000).value_or(into.failures));
    into.base = each.duration("base", millis{1}).value_or(into.base);
    into.most = each.duration("most", millis{1}).value_or(std::max(into.most, into.base));
    if (into.most < into.base)
      each.complain("most", "is less than base");
    into.max_share = each.number("max_share", 0, 1).value_or(into.max_share);
    each.finish();
  }
  if (const auto* fairness = object.object("fairness")) {
    object_reader each{*fairness, "/routing/fairness", problems};
    result.fairness.low_share =
        each.number("low_share", 0, 0.5).value_or(result.fairness.low_share);
    if (const auto* weights = each.object("weights")) {
      object_reader keys{*weights, "/routing/fairness/weights", problems};
      for (const auto& [key, weight] : weights->items())
        if (auto number = keys.number(key, 0.001, 1'000))
          result.fairness.weights[key] = *number;
      keys.finish();
    }
    each.finish();
  }
  questions.max_adaptive_limit = static_cast<std::uint32_t>(
      object.integer("max_adaptive_limit", 1, 10'000).value_or(questions.max_adaptive_limit));
  result.key_limit = read_limit(object, "key_limit", problems).value_or(result.key_limit);
  if (const auto* limits = object.object("key_limits")) {
    object_reader keys{*limits, "/routing/key_limits", problems};
    for (const auto& [key, limit] : limits->items())
      if (auto read = read_limit(keys, key.c_str(), problems))
        result.key_limits[key] = *read;
    keys.finish();
  }
  object.finish();
}

void read_role_routing(object_reader& role, const role_name& name, std::vector<problem>& problems,
                       router_options& result) {
  if (auto policy = read_policy(role))
    result.policies[name] = *policy;
  if (auto limit = read_limit(role, "limit", problems))
    result.role_limits[name] = *limit;
  if (auto limit = read_limit(role, "agent_limit", problems))
    result.agent_limits[name] = *limit;
}

} // namespace rolecall
