#pragma once

#include "app/client/node_client.hpp"

#include <string>

namespace rolecall::client {

/// The receipts of a task for people: a block for each attempt. Without colours.
std::string receipts_text(const json& task);

} // namespace rolecall::client
