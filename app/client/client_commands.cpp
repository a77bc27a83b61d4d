#include "app/client/client_commands.hpp"

#include "app/client/fleet_commands.hpp"
#include "app/client/submit_command.hpp"
#include "app/client/task_commands.hpp"
#include "app/client/top_command.hpp"
#include "app/client/watch_command.hpp"

namespace rolecall {

void add_client_commands(CLI::App& app, std::function<int()>& run) {
  client::add_submit_command(app, run);
  client::add_task_commands(app, run);
  client::add_fleet_commands(app, run);
  client::add_watch_command(app, run);
  client::add_top_command(app, run);
}

} // namespace rolecall
