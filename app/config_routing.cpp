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

std::optional<start_limit> read_limit(object_reader& parent, std::string_view key,
                                      std::vector<problem>& problems) {
  const auto* value = parent.object(key);
  if (!value)
    return std::nullopt;
  object_reader object{*value, parent.at(key), problems};
  start_limit result;
  result.max_parallel =
      static_cast<std::uint32_t>(object.integer("max_parallel", 0, 1'000'000).value_or(0));
  auto rate = object.number("per_second", 0, 1e6);
  result.per_second = rate.value_or(0);
  constexpr double least_rate = 0.001; // so that no wait is longer than a clock can tell
  if (result.per_second > 0 && result.per_second < least_rate)
    object.complain("per_second", "must be 0, which is no such limit, or at least 0.001");
  result.burst = static_cast<std::uint32_t>(object.integer("burst", 1, 1'000'000).value_or(1));
  if (result.burst > 1 && (rate == 0.0 || !object.value("per_second")))
    object.complain("burst", "has no effect without a rate: must come with per_second, or be 1");
  object.finish();
  return result;
}

void read_weights(object_reader& parent, std::vector<problem>& problems, score_weights& into) {
  const auto* weights = parent.object("weights");
  if (!weights)
    return;
  object_reader object{*weights, parent.at("weights"), problems};
  into.skill = object.number("skill", 0, 10).value_or(into.skill);
  into.success = object.number("success", 0, 10).value_or(into.success);
  into.affinity = object.number("affinity", 0, 0.9).value_or(into.affinity);
  object.finish();
}

void read_ejection(object_reader& parent, std::vector<problem>& problems, ejection_options& into) {
  const auto* ejection = parent.object("ejection");
  if (!ejection)
    return;
  object_reader object{*ejection, parent.at("ejection"), problems};
  into.failures =
      static_cast<std::uint32_t>(object.integer("failures", 0, 1'000).value_or(into.failures));
  into.base = object.duration("base", millis{1}).value_or(into.base);
  into.most = object.duration("most", millis{1}).value_or(std::max(into.most, into.base));
  if (into.most < into.base)
    object.complain("most", "must not be less than base, which is " + format_duration(into.base));
  into.max_share = object.number("max_share", 0, 1).value_or(into.max_share);
  object.finish();
}

void read_fairness(object_reader& parent, std::vector<problem>& problems, fairness_options& into,
                   std::string& label) {
  const auto* fairness = parent.object("fairness");
  if (!fairness)
    return;
  object_reader object{*fairness, parent.at("fairness"), problems};
  label = object.name("label").value_or(label);
  into.low_share = object.number("low_share", 0, 0.5).value_or(into.low_share);
  into.headroom = object.duration("headroom", millis{0}).value_or(into.headroom);
  if (const auto* weights = object.object("weights")) {
    object_reader keys{*weights, object.at("weights"), problems};
    for (const auto& [key, weight] : weights->items())
      if (auto number = keys.number(key, 0.001, 1'000))
        into.weights[key] = *number;
    keys.finish();
  }
  object.finish();
}

} // namespace

void read_routing(const json& value, std::vector<problem>& problems, router_options& result,
                  question_options& questions, task_labels& labels) {
  object_reader object{value, "/routing", problems};
  result.policy = read_policy(object).value_or(result.policy);
  result.latency_tau = object.duration("latency_window", millis{100}).value_or(result.latency_tau);
  result.patience = object.number("patience", 0, 10).value_or(result.patience);
  questions.max_adaptive_limit = static_cast<std::uint32_t>(
      object.integer("max_adaptive_limit", 1, 10'000).value_or(questions.max_adaptive_limit));
  labels.task_class = object.name("class_label").value_or(labels.task_class);
  read_weights(object, problems, result.weights);
  read_ejection(object, problems, result.ejection);
  read_fairness(object, problems, result.fairness, labels.fairness);
  result.key_limit = read_limit(object, "key_limit", problems).value_or(result.key_limit);
  if (const auto* limits = object.object("key_limits")) {
    object_reader keys{*limits, "/routing/key_limits", problems};
    for (const auto& [key, limit] : limits->items())
      if (auto read = read_limit(keys, key, problems))
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
