#include "app/agents_command.hpp"
#include "app/client/client_commands.hpp"
#include "app/docs/docs_commands.hpp"
#include "app/exit_codes.hpp"
#include "app/export_command.hpp"
#include "app/node_command.hpp"
#include "app/run_command.hpp"
#include "app/simulate/simulate_command.hpp"
#include "app/token_command.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <exception>
#include <functional>

#include <fcntl.h>
#include <unistd.h>

namespace {

/// A parent may have started us with stdin, stdout or stderr closed. Their numbers must not go to
/// the first socket or file that we open.
void open_standard_descriptors() {
  int descriptor = 0;
  while (descriptor >= 0 && descriptor <= STDERR_FILENO)
    descriptor = ::open("/dev/null", O_RDWR);
  ::close(descriptor);
}

} // namespace

int main(int count, char** arguments) {
  using namespace rolecall;
  open_standard_descriptors();
  CLI::App app{"An actor-model runtime that gets work done by agents", "rolecall"};
  app.set_version_flag("--version", "rolecall " ROLECALL_VERSION);
  app.require_subcommand(1);
  std::function<int()> run;
  add_run_command(app, run);
  add_node_command(app, run);
  add_agents_command(app, run);
  add_token_command(app, run);
  add_client_commands(app, run);
  add_export_command(app, run);
  add_simulate_command(app, run);
  add_docs_commands(app, run);
  try {
    app.parse(count, arguments);
    return run();
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? exit_codes::ok : exit_codes::wrong_input;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "rolecall: %s\n", error.what());
    return exit_codes::failure;
  }
}
