#pragma once

#include "messages/cluster.hpp"
#include "messages/tasks.hpp"

#include <nlohmann/json.hpp>

#include <string>

/// How the node shows what it knows: the JSON of docs/http-api.md.
namespace rolecall::api {

using json = nlohmann::ordered_json;

/// RFC 3339 in UTC with milliseconds; null for none.
json time_text(unix_time at);

/// A task with what lists and events show of it.
std::string task_summary(const task_record& task);
/// A task with everything; its input and output are spliced in as they are, without a look inside.
std::string task_view(const task_detail& task);
/// Why a task went where it went; `waiting` is the router's word, if it waits there.
json why_view(const task_detail& task, const wait_explanation* waiting, const role_status* role);

json agent_view(const agent_load& load, unix_time now);
/// An agent without the figures of its work.
json agent_record_view(const agent_record& agent);
json roles_view(const fleet_status& fleet, const routing_status& routing);
/// A node with what it says of itself.
json node_view(const std::string& name, const std::string& version, const node_figures& figures,
               unix_time now);
/// Another node of the cluster, and the link with it.
json link_view(const link_status& link, unix_time now);
/// Null if there is none.
json text_or_null(const std::string& text);

} // namespace rolecall::api
