#pragma once

#include "app/agents_service/role.hpp"
#include "app/listen_address.hpp"

#include <cstddef>
#include <vector>

namespace rolecall::agents {

struct runner_options {
  listen_address listen;
  std::vector<role> roles;
  std::size_t max_agents{256};
};

/// Runs an agents service until SIGTERM, SIGINT or SIGHUP, on the calling thread. Prints
/// "listening on http://..." on stdout once requests are taken. Gives the exit code: 0 after a
/// signal, 1 if it cannot listen. Ends within two seconds of the signal, whatever its agents do.
int run_service(runner_options options);

} // namespace rolecall::agents
