#pragma once

#include "actors/health/health_checks.hpp"
#include "actors/manager/autoscaler.hpp"
#include "messages/json_reader.hpp"

#include <optional>
#include <vector>

namespace rolecall {

/// Reads `health_check` of a role, as far as it is there; how long an unhealthy agent is kept goes
/// into the role's policy.
std::optional<health_check> read_health_check(object_reader& role, std::vector<problem>& problems,
                                              role_policy& policy);

} // namespace rolecall
