#pragma once

#include "app/client/node_client.hpp"
#include "messages/values.hpp"

#include <optional>
#include <string>

namespace rolecall::client {

/// A task as a node shows it (its view, or the summary that lists and events have), as the record
/// that the views of a run take. None if it is not the node's form. A view of a completed task
/// without an output has null for one.
std::optional<task_record> read_task_view(const json& view);

/// The same, from an answer to `what`. Throws `client_error`.
task_record task_in(const json& view, const std::string& what, const node_client& node);

/// The member `key` of a node's JSON as a text to be shown: strings as they are, numbers and
/// booleans in JSON, "-" for null and for what is not there.
std::string shown(const json& object, const char* key);

/// A number among the members, or none.
std::optional<double> number(const json& object, const char* key);

/// The text of a string member; empty if there is none.
std::string text(const json& object, const char* key);

} // namespace rolecall::client
