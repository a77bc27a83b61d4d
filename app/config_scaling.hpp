#pragma once

#include "actors/manager/fleet.hpp"
#include "messages/json_reader.hpp"

namespace rolecall {

/// Reads the section "scaling" of a configuration. To be called before the roles are read: it has
/// their defaults.
void read_scaling(object_reader& root, std::vector<problem>& problems, fleet_options& result);

/// Reads the keys of a role that say how many agents it should have.
void read_role_scaling(object_reader& role, role_policy& result);

/// Checks what the roles want together. To be called once all are read.
void check_scaling(const fleet_options& options, std::vector<problem>& problems);

} // namespace rolecall
