#pragma once

#include "app/client/node_client.hpp"
#include "app/client/table.hpp"

#include <string>
#include <vector>

namespace rolecall::client {

/// What a node tells of itself and its agents, as tables; each takes the array of the answer.
table agent_rows(const json& agents);
table role_rows(const json& roles);
table node_rows(const json& nodes);

/// The figures of `GET /v1/stats`, a row each; without the window.
table stats_rows(const json& stats);

/// A node's milliseconds for people ("1.23s"), "-" where there are none.
std::string shown_time(const json& object, const char* key);

/// A rate from 0 to 1 for people ("90.9 %"), "-" where there is none.
std::string shown_rate(const json& object, const char* key);

} // namespace rolecall::client
