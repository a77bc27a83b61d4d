#pragma once

#include "actors/cluster/membership.hpp"
#include "app/node_options.hpp"
#include "messages/events.hpp"
#include "messages/tasks.hpp"

#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

#include <string>

/// The log of a node on stderr: one line an event, text for people or JSON for programs. No payload
/// and no secret goes there.
namespace rolecall {

/// Sets the default logger up. `automatic`: text if stderr is a terminal, else JSON.
void set_up_log(const log_options& options);

/// One event with what is to be known of it; nothing is worded below the configured level.
void log_event(spdlog::level::level_enum level, const std::string& event,
               const nlohmann::ordered_json& fields);

void log_task(const task_event& event);
void log_agent(const agent_event& event);
void log_membership(const membership::note& note);

} // namespace rolecall
