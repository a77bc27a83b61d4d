#include "app/node_runner.hpp"

#include "app/config_node.hpp"
#include "app/event_logger.hpp"
#include "app/exit_codes.hpp"
#include "app/liveness.hpp"
#include "app/process_figures.hpp"
#include "app/served_node.hpp"
#include "app/service_manager.hpp"
#include "app/startup.hpp"

#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>

#include <boost/asio/signal_set.hpp>
#include <boost/system/system_error.hpp>

#include <csignal>
#include <cstdio>

namespace rolecall {

namespace {

config read_settings(const run_node_options& options) {
  auto result = load_config(options.config_file);
  result.journal_path = options.journal.value_or(result.journal_path);
  if (options.listen.empty())
    return result;
  auto listen = parse_listen_address(options.listen);
  if (const auto* wrong = std::get_if<std::string>(&listen))
    refuse("--listen: " + *wrong);
  result.node.api.listen = std::get<listen_address>(std::move(listen));
  if (auto wrong = exposure_problem(result.node.api))
    refuse("--listen: " + *wrong);
  return result;
}

/// Passes signals on to an actor for as long as the event loop runs: once the node has begun to
/// end, a further one must not kill it in the middle of that.
class signal_relay : public std::enable_shared_from_this<signal_relay> {
public:
  /// Keeps no actor alive: it outlives them all.
  signal_relay(boost::asio::io_context& context, caf::weak_actor_ptr to)
      : signals_{context, SIGINT, SIGTERM, SIGHUP}, to_{std::move(to)} {}

  void wait() {
    signals_.async_wait(
        [self = shared_from_this()](const boost::system::error_code& error, int signal) {
          if (error)
            return;
          if (auto there = caf::actor_cast<caf::strong_actor_ptr>(self->to_))
            caf::anon_send(caf::actor_cast<caf::actor>(there), atom::interrupt_v, signal);
          self->wait();
        });
  }

private:
  boost::asio::signal_set signals_;
  caf::weak_actor_ptr to_;
};

/// A node from its start to its end.
class node_run {
public:
  node_run(served_node& host, const config& settings)
      : host_{host}, settings_{settings}, self_{host.system()} {
    std::make_shared<signal_relay>(host.loop().context(),
                                   caf::actor_cast<caf::weak_actor_ptr>(self_))
        ->wait();
  }

  void execute() {
    service_manager_.ready(host_.url());
    while (!ending_)
      self_->receive([this](atom::interrupt, int signal) { on_signal(signal); },
                     caf::after(watchdog_interval()) >> [this] { look_after(); });
    drain();
  }

private:
  std::chrono::milliseconds watchdog_interval() const {
    constexpr millis idle{60'000}; // nobody watches
    return service_manager_.watchdog_interval().value_or(idle);
  }

  /// Tells the service manager that all is well, if the actors that every task goes through still
  /// answer.
  void look_after() {
    if (!service_manager_.watchdog_interval())
      return;
    constexpr millis patience{2'000};
    if (auto silent =
            who_is_silent(self_, host_.router(), host_.coordinator(), host_.api(), patience))
      log_event(spdlog::level::err, "node_stuck", {{"actor", *silent}});
    else
      service_manager_.alive();
  }

  void on_signal(int signal) {
    if (signal == SIGHUP)
      return reload();
    ending_ = true;
  }

  void reload() {
    const auto& file = settings_.node.api.token_file;
    if (file.empty())
      return;
    auto tokens = load_tokens(file);
    if (const auto* problems = std::get_if<std::vector<problem>>(&tokens))
      return log_event(spdlog::level::err, "tokens_not_reloaded",
                       {{"problem", to_text(problems->front())}});
    host_.change_tokens(std::get<token_set>(std::move(tokens)));
    log_event(spdlog::level::info, "tokens_reloaded", {});
  }

  /// Waits for the tasks that there are, for as long as is configured or until the next signal;
  /// then cancels what is left, unless there is a journal that keeps it.
  void drain() {
    auto limit = settings_.node.drain_timeout;
    service_manager_.stopping(limit);
    log_event(spdlog::level::info, "node_draining", {{"limit", format_duration(limit)}});
    auto until = std::chrono::steady_clock::now() + limit;
    constexpr millis margin{60'000};
    self_->send(drained_listener(), atom::drain_v, limit + margin);
    auto done = false;
    auto canceled = false;
    while (!done) {
      auto left = std::chrono::duration_cast<millis>(until - std::chrono::steady_clock::now());
      self_->receive([&](atom::drained) { done = true; },
                     [&](atom::interrupt, int signal) {
                       if (signal != SIGHUP)
                         until = {};
                     },
                     caf::after(std::max(left, millis{0})) >>
                         [&] {
                           // What a journal has kept goes on when the node starts again.
                           done = canceled || !settings_.journal_path.empty();
                           if (done)
                             return;
                           cancel_all();
                           canceled = true;
                           constexpr millis last{5'000};
                           until = std::chrono::steady_clock::now() + last;
                         });
    }
  }

  /// An actor that asks the API to drain, and the cluster to let the node go, and passes their
  /// answers on: a blocking request could not be interrupted by a signal.
  caf::actor drained_listener() {
    // What it knows comes as arguments: CAF 0.17 looks at those of an actor without any all the
    // same.
    return host_.system().spawn(
        [](caf::event_based_actor* asker, const caf::actor& me, const api::api_actor& api,
           const cluster_actor& cluster) -> caf::behavior {
          return {[asker, me, api, cluster](atom::drain, millis limit) {
            auto missing = std::make_shared<int>(cluster ? 2 : 1);
            auto ended = [asker, me, missing] {
              if (--*missing > 0)
                return;
              caf::anon_send(me, atom::drained_v);
              asker->quit();
            };
            auto failed = [asker](caf::error&) { asker->quit(); };
            if (cluster)
              asker->request(cluster, limit, atom::leave_v)
                  .then([ended](bool) { ended(); }, failed);
            asker->request(api, limit, atom::drain_v)
                .then([ended](std::uint64_t) { ended(); }, failed);
          }};
        },
        caf::actor_cast<caf::actor>(self_), host_.api(), host_.cluster());
  }

  void cancel_all() {
    constexpr millis patience{5'000};
    self_->request(host_.coordinator(), patience, atom::cancel_v, task_query{})
        .receive(
            [](const cancel_count& done) {
              log_event(spdlog::level::warn, "tasks_canceled", {{"count", done.canceled}});
            },
            [](caf::error&) {});
  }

  served_node& host_;
  const config& settings_;
  caf::scoped_actor self_;
  service_manager service_manager_;
  bool ending_{false};
};

void serve(const config& settings, token_set tokens, opened_journal journal) {
  served_node host{settings, std::move(tokens), std::move(journal)};
  node_run run{host, settings}; // whoever reads that it listens may send signals
  std::printf("listening on %s\n", host.url().c_str());
  std::fflush(stdout);
  log_event(spdlog::level::info, "node_started",
            {{"node", settings.node.name}, {"version", ROLECALL_VERSION}, {"url", host.url()}});
  run.execute();
}

} // namespace

int run_node(const run_node_options& options) {
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN); // a journal that may not grow is an error of its writing
  raise_descriptor_limit();
  try {
    auto settings = read_settings(options);
    const auto& token_file = settings.node.api.token_file;
    auto tokens = token_file.empty() ? token_set{} : read_tokens(token_file);
    auto journal = open_journal(settings.journal_path);
    auto bundled = start_bundled(options.roles_file, options.config_file.empty(), settings,
                                 [](const std::string& text) { tell(text); });
    set_up_log(settings.node.log);
    serve(settings, std::move(tokens), std::move(journal));
    log_event(spdlog::level::info, "node_ended", {{"node", settings.node.name}});
    return exit_codes::ok;
  } catch (const wrong_input&) {
    return exit_codes::wrong_input;
  } catch (const boost::system::system_error& error) {
    // The address and the cause, without where in the sources that was found.
    std::string what = error.what();
    tell(what.substr(0, what.rfind(" [")) +
         "; is another node running? --listen or /api/listen of the "
         "configuration names another address");
    return exit_codes::failure;
  } catch (const std::runtime_error& error) { // a file of TLS; its name is in what()
    tell(error.what());
    return exit_codes::failure;
  }
}

} // namespace rolecall
