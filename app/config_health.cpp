#include "app/config_health.hpp"

#include "messages/duration.hpp"
#include "messages/json_codec.hpp"

namespace rolecall {

std::optional<health_check> read_health_check(object_reader& role, std::vector<problem>& problems,
                                              role_policy& policy) {
  const auto* value = role.object("health_check");
  if (!value)
    return std::nullopt;
  object_reader object{*value, role.at("health_check"), problems};
  health_check result;
  if (const auto* input = object.required("input"))
    result.input = json_text{dump(*input)};
  auto interval = object.duration("interval", millis{10});
  auto interval_is_wrong = !interval && object.value("interval");
  result.interval = interval.value_or(result.interval);
  // The default is for the default: a shorter interval brings its own.
  auto timeout = object.duration("timeout", millis{1});
  result.timeout = timeout.value_or(std::min(result.timeout, result.interval / 2));
  if (result.timeout >= result.interval && !interval_is_wrong)
    object.complain("timeout",
                    "is not less than interval, which is " + format_duration(result.interval));
  auto threshold = [&](const char* key, std::uint32_t& into) {
    if (auto count = object.integer(key, 1, 1'000))
      into = static_cast<std::uint32_t>(*count);
  };
  threshold("unhealthy_threshold", result.unhealthy_threshold);
  threshold("healthy_threshold", result.healthy_threshold);
  policy.retire_unhealthy_after =
      object.duration("retire_after", millis{1}).value_or(policy.retire_unhealthy_after);
  object.finish();
  return result;
}

} // namespace rolecall
