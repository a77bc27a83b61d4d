#include "app/node.hpp"

#include "actors/cluster/cluster_tasks_actor.hpp"
#include "actors/coordinator/coordinator_actor.hpp"
#include "actors/health/checker_actor.hpp"
#include "actors/journal/journal_actor.hpp"
#include "actors/manager/manager_actor.hpp"
#include "actors/registry/registry_actor.hpp"
#include "actors/router/router_actor.hpp"
#include "actors/workers/pool_actor.hpp"
#include "app/event_logger.hpp"
#include "app/loop_scheduler.hpp"
#include "app/service_identity.hpp"
#include "net/address.hpp"
#include "net/on_loop.hpp"

#include <boost/system/system_error.hpp>

#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>

#include <sys/resource.h>

#include <algorithm>
#include <future>
#include <random>

namespace rolecall {

node::system_config::system_config(std::deque<net::event_loop>& loops) {
  add_messages(*this);
  std::vector<boost::asio::io_context*> contexts;
  for (auto& loop : loops)
    contexts.push_back(&loop.context());
  loop_scheduler::load(*this, std::move(contexts));
  // Messages an actor may handle before the others get their turn: a router or a coordinator with a
  // full mailbox must not keep the API from answering.
  set("scheduler.max-throughput", std::size_t{16});
}

namespace {

millis to_wall_clock() {
  using namespace std::chrono;
  return duration_cast<millis>(system_clock::now().time_since_epoch()) -
         duration_cast<millis>(steady_clock::now().time_since_epoch());
}

/// Microseconds since 1970: more than the number of any event of an earlier time, unless the clock
/// was set back.
std::uint64_t new_event_number(std::uint64_t earlier) {
  using namespace std::chrono;
  auto since_1970 = system_clock::now().time_since_epoch();
  auto number = static_cast<std::uint64_t>(duration_cast<micros>(since_1970).count());
  return std::max(number, earlier + 1);
}

/// As many connections to a service, and so attempts at a time, as half of the files that the
/// process may open, if that is more than usual: the other half is for callers.
net::http_client_options client_options() {
  net::http_client_options result;
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur != RLIM_INFINITY)
    result.max_connections_per_origin =
        std::max(result.max_connections_per_origin, static_cast<std::size_t>(files.rlim_cur / 2));
  return result;
}

} // namespace

node::node(const config& settings, opened_journal journal)
    : unix_offset_{to_wall_clock()},
      first_event_{new_event_number(journal.content ? journal.content->forgotten_event : 0)},
      loops_(settings.node.threads),
      client_{std::make_shared<net::pooled_http_client>(agents_loop().context(), client_options())},
      system_config_{loops_},
      system_{std::make_unique<caf::actor_system>(system_config_)} {
  auto& sys = *system_;
  auto tasks = settings.coordinator;
  tasks.seed = std::random_device{}();
  node_name name{settings.node.name};
  registry_ = sys.spawn(rolecall::registry, registry_options{});
  auto routing = settings.router;
  routing.node = name;
  router_ = sys.spawn(rolecall::router, registry_, std::move(routing));
  auto fleet = settings.fleet;
  for (auto& service : fleet.services)
    service.node = name;
  manager_ = sys.spawn(rolecall::manager, registry_, router_, client_,
                       manager_options{std::move(fleet), settings.questions});
  auto workers = settings.pool;
  workers.worker.node = settings.node.name;
  net::run_on_loop(agents_loop().context(), // where its actors stay
                   [&] { pool_ = sys.spawn(rolecall::pool, client_, workers); });
  auto checks = settings.health;
  checks.node = name;
  checks.seed = std::random_device{}();
  if (!checks.roles.empty())
    checker_ = sys.spawn(rolecall::checker, checker_peers{registry_, router_, manager_, pool_},
                         std::move(checks));
  tasks.unix_offset = unix_offset_;
  tasks.first_event = first_event_;
  tasks.durable = journal.store != nullptr;
  if (journal.store)
    journal_ = sys.spawn<caf::detached>(rolecall::journal, std::move(journal.store));
  if (settings.cluster) {
    try {
      join_cluster(settings, name);
    } catch (...) { // the system waits for its actors
      for (const auto& each :
           {caf::actor_cast<caf::actor>(registry_), caf::actor_cast<caf::actor>(router_),
            caf::actor_cast<caf::actor>(manager_), caf::actor_cast<caf::actor>(pool_),
            caf::actor_cast<caf::actor>(checker_), caf::actor_cast<caf::actor>(journal_)})
        if (each)
          caf::anon_send_exit(each, caf::exit_reason::user_shutdown);
      throw;
    }
  }
  auto pool = cluster_ ? caf::actor_cast<pool_actor>(cluster_) : pool_;
  coordinator_ = sys.spawn(rolecall::coordinator, coordinator_peers{router_, pool, journal_},
                           std::move(tasks), std::move(journal.content));
  tasks_ = coordinator_;
  if (!cluster_)
    return;
  caf::anon_send(cluster_, atom::put_v, tasks_);
  tasks_ = sys.spawn(cluster_tasks, tasks_, cluster_, name);
}

std::vector<net::event_loop*> node::callers_loops() {
  std::vector<net::event_loop*> result;
  for (auto& each : loops_)
    if (loops_.size() == 1 || &each != &loop())
      result.push_back(&each);
  return result;
}

void node::join_cluster(const config& all, const node_name& name) {
  const auto& settings = *all.cluster;
  cluster_options options;
  auto since = static_cast<std::uint64_t>(
      std::chrono::duration_cast<micros>(std::chrono::system_clock::now().time_since_epoch())
          .count());
  for (const auto& service : all.fleet.services)
    options.claims[service.name] = {service_identity(service.url), since};
  auto& about = options.membership;
  about.cluster = settings.name;
  about.node = name;
  about.version = ROLECALL_VERSION;
  about.peers = settings.peers;
  about.heartbeat_interval = settings.heartbeat_interval;
  about.heartbeat_timeout = settings.heartbeat_timeout;
  std::random_device chance;
  about.incarnation = std::uint64_t{chance()} << 32 | chance();
  about.seed = chance();
  if (!settings.tls_ca.empty()) {
    options.tls = net::link_tls{settings.tls_certificate, settings.tls_key, settings.tls_ca};
    about.check_names = true;
    net::make_link_context(*options.tls, boost::asio::ssl::stream_base::client); // a check
  }
  options.log = log_membership;
  // Whoever calls before the actor is there is let in once it is.
  auto actor = std::make_shared<std::promise<cluster_actor>>();
  auto there = actor->get_future().share();
  if (settings.listen) {
    net::frame_listener_options listen;
    listen.port = settings.listen->port;
    listen.tls = options.tls;
    listen.frames = frame_options_of(options);
    for (const auto& address : settings.listen->addresses) {
      listen.address = address;
      try {
        cluster_listeners_.push_back(std::make_unique<net::frame_listener>(
            loop().context(), listen,
            [there](std::shared_ptr<net::frame_stream> stream) {
              caf::anon_send(there.get(), link_accepted{std::move(stream)});
            },
            [there](std::string remote, std::string why) {
              caf::anon_send(there.get(), link_refused{std::move(remote), std::move(why)});
            }));
      } catch (const boost::system::system_error& error) {
        throw std::runtime_error{"cannot listen on " + net::host_and_port(address, listen.port) +
                                 " for other nodes: " + error.code().message() +
                                 "; /cluster/listen of the configuration names another address"};
      }
      listen.port = cluster_listeners_.front()->port();
    }
    about.address = settings.advertise;
    auto port = ":" + std::to_string(listen.port);
    auto wildcard = settings.listen->text == "0.0.0.0" || settings.listen->text == "[::]";
    if (about.address.empty())
      about.address = (wildcard ? "" : settings.listen->text) + port;
    log_event(spdlog::level::info, "cluster_listening",
              {{"cluster", settings.name}, {"address", settings.listen->text + port}});
  }
  cluster_ = system_->spawn(rolecall::cluster, cluster_peers{registry_, router_, manager_, pool_},
                            &loop().context(), std::move(options));
  actor->set_value(cluster_);
}

node::~node() {
  auto end = [](auto& actor) {
    caf::anon_send_exit(actor, caf::exit_reason::user_shutdown);
    actor = nullptr;
  };
  auto coordinator_end = caf::actor_cast<caf::actor>(coordinator_);
  end(coordinator_);
  if (journal_) {
    // What the coordinator has said until its end goes to the disk. Nobody has been told that it is
    // there: if the disk hangs, nothing that counts is lost.
    caf::scoped_actor self{*system_};
    self->wait_for(coordinator_end);
    constexpr millis patience{10'000};
    self->request(journal_, patience, atom::drain_v).receive([](bool) {}, [](caf::error&) {});
    end(journal_);
  }
  if (checker_)
    end(checker_);
  cluster_listeners_.clear();
  if (cluster_) {
    end(tasks_); // what it waits for would keep it
    end(cluster_);
  }
  tasks_ = nullptr;
  end(pool_); // what runs is canceled, and with it its agents' work
  {
    caf::scoped_actor self{*system_};
    constexpr millis margin{1'000};
    self->request(manager_, retire_patience + margin, atom::retire_v, retire_patience)
        .receive([](std::uint64_t) {}, [](caf::error&) {});
  }
  end(manager_);
  end(router_);
  end(registry_);
  client_->shut_down();
  system_.reset(); // waits for the actors
  for (auto& each : loops_)
    each.stop();
}

} // namespace rolecall
