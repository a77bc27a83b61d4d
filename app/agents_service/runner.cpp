#include "app/agents_service/runner.hpp"

#include "app/agents_service/service.hpp"
#include "app/process_figures.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/system/system_error.hpp>
#include <spdlog/spdlog.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <utility>

namespace rolecall::agents {

namespace {

using namespace std::chrono_literals;
using servers = std::vector<std::unique_ptr<net::http_server>>;

constexpr auto kill_grace = 500ms;      // from SIGTERM to SIGKILL
constexpr auto answer_patience = 800ms; // for answers that are on their way at the end
constexpr auto stop_limit = 1'500ms;    // after which we leave, done or not

std::string url_of(const std::string& address, std::uint16_t port) {
  auto host = address.find(':') == std::string::npos ? address : '[' + address + ']';
  return "http://" + host + ':' + std::to_string(port);
}

bool is_missing_ipv6(const boost::system::system_error& error) {
  return error.code() == boost::asio::error::address_family_not_supported ||
         error.code() == boost::system::errc::address_not_available;
}

/// Listens on every address, all with the same port. Throws `boost::system::system_error`.
servers listen(boost::asio::io_context& context, const listen_address& where, service& target) {
  servers result;
  net::http_server_options options;
  options.port = where.port;
  for (const auto& address : where.addresses) {
    options.address = address;
    try {
      result.push_back(std::make_unique<net::http_server>(
          context, options, [&target](auto exchange) { target.handle(exchange); }));
    } catch (const boost::system::system_error& error) {
      // A machine without IPv6 has only one half of "localhost".
      if (result.empty() || !is_missing_ipv6(error)) {
        context.stop(); // for the servers that are there, to be destroyed without it
        throw;
      }
    }
    options.port = result.front()->port();
  }
  return result;
}

} // namespace

int run_service(runner_options options) {
  raise_descriptor_limit(); // every task takes a socket and three pipes
  boost::asio::io_context context{1};
  supervisor processes{context, kill_grace};
  service agents{context, processes, std::move(options.roles), options.max_agents};
  servers listening;
  try {
    listening = listen(context, options.listen, agents);
  } catch (const boost::system::system_error& error) {
    std::fprintf(stderr, "rolecall: cannot listen on %s:%d: %s\n", options.listen.text.c_str(),
                 options.listen.port, error.code().message().c_str());
    return EXIT_FAILURE;
  }
  auto port = listening.front()->port();
  std::printf("listening on %s\n", url_of(options.listen.addresses.front(), port).c_str());
  std::fflush(stdout);

  boost::asio::signal_set signals{context, SIGTERM, SIGINT, SIGHUP};
  boost::asio::steady_timer limit{context};
  std::size_t open_ends = listening.size() + 1; // the servers, and the processes
  auto one_less = [&] {
    if (--open_ends == 0)
      context.stop();
  };
  signals.async_wait([&](const boost::system::error_code& canceled, int signal) {
    if (canceled)
      return;
    spdlog::info("signal {}: stopping", signal);
    limit.expires_after(stop_limit);
    limit.async_wait([&](const boost::system::error_code&) { context.stop(); });
    agents.stop(one_less);
    for (auto& server : listening)
      server->close(answer_patience, one_less);
  });
  context.run();
  return EXIT_SUCCESS;
}

} // namespace rolecall::agents
