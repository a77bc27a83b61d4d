#include "app/config_scaling.hpp"

namespace rolecall {

namespace {

constexpr std::int64_t most_agents = 100'000; // of a role

void read_count(object_reader& object, const char* key, std::int64_t min, std::int64_t max,
                std::uint32_t& into) {
  if (auto value = object.integer(key, min, max))
    into = static_cast<std::uint32_t>(*value);
}

void read_utilization(object_reader& object, role_policy& into) {
  into.target_utilization =
      object.number("target_utilization", 0.01, 1).value_or(into.target_utilization);
}

} // namespace

void read_scaling(object_reader& root, std::vector<problem>& problems, fleet_options& result) {
  const auto* section = root.object("scaling");
  if (!section)
    return;
  object_reader object{*section, "/scaling", problems};
  read_count(object, "max_agents", 1, 1'000'000, result.max_agents);
  read_utilization(object, result.defaults);
  auto& windows = result.windows;
  windows.stable = object.duration("stable_window", millis{1}).value_or(windows.stable);
  auto panic = object.duration("panic_window", millis{1});
  // The default is for the default: a shorter stable window brings its own.
  windows.panic = panic.value_or(std::min(windows.panic, windows.stable));
  if (windows.panic > windows.stable)
    object.complain("panic_window", "must not be longer than stable_window, which is " +
                                        format_duration(windows.stable));
  windows.panic_threshold =
      object.number("panic_threshold", 1, 1'000).value_or(windows.panic_threshold);
  result.spawn_rate = object.number("spawn_rate", 0.01, 1e6).value_or(result.spawn_rate);
  result.spawn_burst =
      static_cast<double>(object.integer("spawn_burst", 1, 1'000'000)
                              .value_or(static_cast<std::int64_t>(result.spawn_burst)));
  object.finish();
}

void read_role_scaling(object_reader& role, role_policy& result) {
  read_count(role, "min_agents", 0, most_agents, result.min_agents);
  result.max_agents = std::max(result.max_agents, result.min_agents);
  read_count(role, "max_agents", 1, most_agents, result.max_agents);
  if (result.min_agents > result.max_agents)
    role.complain("min_agents", "must not be greater than max_agents, which is " +
                                    std::to_string(result.max_agents));
  read_count(role, "warm_spares", 0, most_agents, result.warm_spares);
  if (result.warm_spares > result.max_agents)
    role.complain("warm_spares", "must not be greater than max_agents, which is " +
                                     std::to_string(result.max_agents));
  read_utilization(role, result);
  result.idle_timeout = role.duration("idle_timeout", millis{1}).value_or(result.idle_timeout);
}

void check_scaling(const fleet_options& options, std::vector<problem>& problems) {
  std::uint64_t least = 0;
  for (const auto& [name, policy] : options.roles)
    least += policy.min_agents;
  if (options.max_agents > 0 && least > options.max_agents)
    problems.push_back({"/scaling/max_agents", "must not be less than the min_agents of all roles "
                                               "together, which are " +
                                                   std::to_string(least)});
}

} // namespace rolecall
