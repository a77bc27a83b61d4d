#pragma once

#include "actors/coordinator/task_labels.hpp"
#include "actors/manager/agents_service_protocol.hpp"
#include "actors/router/routing_table.hpp"
#include "messages/json_reader.hpp"

namespace rolecall {

/// Reads the section "routing" into `result`, `labels` and, of what services leave open,
/// `questions`. What is wrong goes to `problems`.
void read_routing(const nlohmann::json& value, std::vector<problem>& problems,
                  router_options& result, question_options& questions, task_labels& labels);

/// Reads what a role says of its routing: "policy", "limit" and "agent_limit".
void read_role_routing(object_reader& role, const role_name& name, std::vector<problem>& problems,
                       router_options& result);

} // namespace rolecall
