#pragma once

#include "app/cluster_settings.hpp"
#include "messages/json_reader.hpp"

namespace rolecall {

/// Reads the section "cluster". What is wrong goes to `problems`.
cluster_settings read_cluster(const nlohmann::json& value, std::vector<problem>& problems);

} // namespace rolecall
