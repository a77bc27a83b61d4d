#include "app/api/metrics.hpp"

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <set>
#include <string_view>
#include <unordered_map>

namespace rolecall::api {

namespace {

using prometheus::Histogram;

const Histogram::BucketBoundaries task_seconds{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1,   2.5,
                                               5,     10,   30,    60,   120, 300,  600, 1800};
const Histogram::BucketBoundaries request_seconds{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                                  0.1,    0.25,  0.5,    1,     2.5,  10,    60};

template <class Builder>
auto& make(prometheus::Registry& registry, Builder builder, const char* name, const char* help) {
  return builder.Name(name).Help(help).Register(registry);
}

double seconds(millis value) {
  return static_cast<double>(value.count()) / 1'000;
}

/// Counters only grow: moves one to a total that is counted elsewhere.
void move_to(prometheus::Counter& counter, std::uint64_t total) {
  auto more = static_cast<double>(total) - counter.Value();
  if (more > 0)
    counter.Increment(more);
}

std::string_view known_method(const std::string& method) {
  static const std::set<std::string> known{"GET", "HEAD", "POST", "DELETE", "OPTIONS"};
  return known.contains(method) ? std::string_view{method} : "other";
}

/// A family of which series are looked up for each task or request. To ask the family for one costs
/// a map of the labels, a hash of it and a lock: it is asked once for each.
template <class Metric>
class counted_family {
public:
  using labels = std::initializer_list<std::pair<const char*, std::string_view>>;

  explicit counted_family(prometheus::Family<Metric>& family) : family_{family} {}

  /// `arguments` are those of a new series. The names of the labels are always the same.
  template <class... Args>
  Metric& of(labels which, const Args&... arguments) {
    key_.clear();
    for (const auto& [name, value] : which)
      key_.append(value).push_back('\0');
    if (auto found = known_.find(key_); found != known_.end())
      return *found->second;
    prometheus::Labels all;
    for (const auto& [name, value] : which)
      all.emplace(name, value);
    return *known_.emplace(key_, &family_.Add(all, arguments...)).first->second;
  }

private:
  prometheus::Family<Metric>& family_;
  std::unordered_map<std::string, Metric*> known_;
  std::string key_; // kept for its memory
};

using counted = counted_family<prometheus::Counter>;
using observed = counted_family<Histogram>;

} // namespace

struct metrics::families {
  prometheus::Registry registry;
  counted accepted{make(registry, prometheus::BuildCounter(), "rolecall_tasks_accepted_total",
                        "Tasks accepted.")};
  counted finished{make(registry, prometheus::BuildCounter(), "rolecall_tasks_finished_total",
                        "Tasks that have become terminal, by their state.")};
  counted attempts{make(registry, prometheus::BuildCounter(), "rolecall_attempts_total",
                        "Attempts that have ended, by what they mean for their task.")};
  prometheus::Family<prometheus::Counter>& hedges =
      make(registry, prometheus::BuildCounter(), "rolecall_hedges_total",
           "Second attempts beside slow ones that have ended, by whether they were the faster.");
  prometheus::Family<prometheus::Counter>& checks =
      make(registry, prometheus::BuildCounter(), "rolecall_health_checks_total",
           "Health checks of agents that have told something, by their result.");
  prometheus::Family<prometheus::Counter>& spawned =
      make(registry, prometheus::BuildCounter(), "rolecall_agents_spawned_total",
           "Agents that services confirmed as spawned.");
  prometheus::Family<prometheus::Counter>& spawn_failures =
      make(registry, prometheus::BuildCounter(), "rolecall_agents_spawn_failures_total",
           "Spawns that a service refused or did not answer.");
  prometheus::Family<prometheus::Counter>& retired =
      make(registry, prometheus::BuildCounter(), "rolecall_agents_retired_total",
           "Agents that services confirmed as ended.");
  counted requests{make(registry, prometheus::BuildCounter(), "rolecall_http_requests_total",
                        "HTTP requests answered, by the class of the status.")};
  prometheus::Family<prometheus::Counter>& rejected =
      make(registry, prometheus::BuildCounter(), "rolecall_http_rejected_total",
           "HTTP requests refused, by the code of the error.");
  prometheus::Family<prometheus::Counter>& cut_off =
      make(registry, prometheus::BuildCounter(), "rolecall_event_readers_cut_off_total",
           "Readers of events that did not read.");
  prometheus::Family<prometheus::Gauge>& tasks =
      make(registry, prometheus::BuildGauge(), "rolecall_tasks",
           "Tasks that are not terminal, by their state.");
  prometheus::Family<prometheus::Gauge>& tasks_limit =
      make(registry, prometheus::BuildGauge(), "rolecall_tasks_limit",
           "How many tasks may be under way at the same time.");
  prometheus::Family<prometheus::Gauge>& waiting =
      make(registry, prometheus::BuildGauge(), "rolecall_role_waiting_tasks",
           "Tasks that wait for an agent of the role.");
  prometheus::Family<prometheus::Gauge>& running =
      make(registry, prometheus::BuildGauge(), "rolecall_role_running_attempts",
           "Attempts that run on agents of the role.");
  prometheus::Family<prometheus::Gauge>& agents =
      make(registry, prometheus::BuildGauge(), "rolecall_agents", "Agents, by role and state.");
  prometheus::Family<prometheus::Gauge>& desired =
      make(registry, prometheus::BuildGauge(), "rolecall_role_desired_agents",
           "Agents that the role should have by its load.");
  prometheus::Family<prometheus::Gauge>& panic =
      make(registry, prometheus::BuildGauge(), "rolecall_role_panic",
           "Whether the role is in a burst, in which it only grows.");
  prometheus::Family<prometheus::Gauge>& idle =
      make(registry, prometheus::BuildGauge(), "rolecall_role_idle_agents",
           "Agents of the role that are ready and have nothing to do.");
  prometheus::Family<prometheus::Gauge>& slots =
      make(registry, prometheus::BuildGauge(), "rolecall_role_slots",
           "Attempts that the role's ready agents are given at the same time.");
  prometheus::Family<prometheus::Gauge>& service_up =
      make(registry, prometheus::BuildGauge(), "rolecall_service_up",
           "Whether the last check of an agents service succeeded.");
  prometheus::Family<prometheus::Gauge>& journal_writable =
      make(registry, prometheus::BuildGauge(), "rolecall_journal_writable",
           "Whether the latest transaction of the journal was written; none without a journal.");
  prometheus::Family<prometheus::Gauge>& readers =
      make(registry, prometheus::BuildGauge(), "rolecall_event_readers",
           "Connections that follow events.");
  prometheus::Family<prometheus::Gauge>& build =
      make(registry, prometheus::BuildGauge(), "rolecall_build_info",
           "Always 1; the version is a label.");
  observed task_duration{make(registry, prometheus::BuildHistogram(),
                              "rolecall_task_duration_seconds",
                              "From a task's submit to its terminal state.")};
  observed queue_duration{make(registry, prometheus::BuildHistogram(),
                               "rolecall_task_queue_duration_seconds",
                               "From a task's submit to the start of its first attempt.")};
  observed attempt_duration{make(registry, prometheus::BuildHistogram(),
                                 "rolecall_attempt_duration_seconds", "How long attempts took.")};
  observed request_duration{
      make(registry, prometheus::BuildHistogram(), "rolecall_http_request_duration_seconds",
           "From the end of a request to its answer; of event streams, to their first byte; of "
           "tasks sent as NDJSON, from the head to the last answer.")};
  prometheus::Family<prometheus::Gauge>& link_up =
      make(registry, prometheus::BuildGauge(), "rolecall_link_up",
           "Whether there is a link with the other node.");
  prometheus::Family<prometheus::Gauge>& link_round_trip =
      make(registry, prometheus::BuildGauge(), "rolecall_link_round_trip_seconds",
           "The way to the other node and back.");
  prometheus::Family<prometheus::Gauge>& link_lag =
      make(registry, prometheus::BuildGauge(), "rolecall_link_lag_events",
           "Events about agents of the other node that have not come yet.");
  prometheus::Family<prometheus::Gauge>& link_queued =
      make(registry, prometheus::BuildGauge(), "rolecall_link_queued_bytes",
           "What the other node has not taken yet.");
  prometheus::Family<prometheus::Gauge>& link_attempts =
      make(registry, prometheus::BuildGauge(), "rolecall_link_attempts",
           "Attempts across the link: there for this node, here for the other.");
  prometheus::Family<prometheus::Counter>& link_sent =
      make(registry, prometheus::BuildCounter(), "rolecall_link_sent_bytes_total",
           "Bytes sent to the other node.");
  prometheus::Family<prometheus::Counter>& link_received =
      make(registry, prometheus::BuildCounter(), "rolecall_link_received_bytes_total",
           "Bytes received from the other node.");
  prometheus::Family<prometheus::Counter>& link_connects =
      make(registry, prometheus::BuildCounter(), "rolecall_link_connects_total",
           "Times that the link came up.");
  prometheus::Family<prometheus::Counter>& strangers =
      make(registry, prometheus::BuildCounter(), "rolecall_cluster_refused_total",
           "Connections of other nodes that were not let in.");
  prometheus::Family<prometheus::Gauge>& start_time =
      make(registry, prometheus::BuildGauge(), "process_start_time_seconds",
           "When the process started, in seconds since 1970.");
  prometheus::Family<prometheus::Gauge>& memory =
      make(registry, prometheus::BuildGauge(), "process_resident_memory_bytes",
           "Memory that is in use.");
  prometheus::Family<prometheus::Gauge>& descriptors = make(
      registry, prometheus::BuildGauge(), "process_open_fds", "File descriptors that are open.");
  prometheus::Family<prometheus::Counter>& cpu =
      make(registry, prometheus::BuildCounter(), "process_cpu_seconds_total", "CPU time spent.");

  /// The label of a role. They come from clients too, so their number is bounded.
  const std::string& label(const role_name& role) {
    static constexpr std::size_t most = 200;
    static const std::string other = "other";
    if (auto known = roles.find(role.str()); known != roles.end())
      return *known;
    if (roles.size() >= most)
      return other;
    for (const auto* outcome : {"won", "lost"}) // there from the start, as are those below
      hedges.Add({{"role", role.str()}, {"outcome", outcome}});
    for (const auto* result : {"passed", "failed"})
      checks.Add({{"role", role.str()}, {"result", result}});
    return *roles.insert(role.str()).first;
  }

  std::set<std::string> roles;
};

metrics::metrics(const std::string& version, std::size_t max_tasks)
    : all_{std::make_unique<families>()} {
  all_->build.Add({{"version", version}}).Set(1);
  all_->tasks_limit.Add({}).Set(static_cast<double>(max_tasks));
  for (auto* family : {&all_->spawned, &all_->spawn_failures, &all_->retired, &all_->cut_off})
    family->Add({}); // there from the start, so that the first increase shows
  for (const auto* reason : {"queue_full", "rate_limited", "unauthorized"})
    all_->rejected.Add({{"reason", reason}});
}

metrics::~metrics() = default;

void metrics::add(const task_event& event) {
  const auto& task = *event.task;
  // A task that no service offers a role for is no reason to remember its role.
  static const role_name unknown{"other"};
  const auto& role = all_->label(task.state == task_state::rejected ? unknown : task.role);
  for (const auto& attempt : event.ended) {
    all_->attempts.of({{"role", role}, {"verdict", to_string(attempt.verdict)}}).Increment();
    all_->attempt_duration.of({{"role", role}}, task_seconds).Observe(seconds(attempt.run));
    if (attempt.hedge)
      all_->hedges
          .Add(
              {{"role", role}, {"outcome", attempt.verdict == verdict::completed ? "won" : "lost"}})
          .Increment();
  }
  if (is_acceptance(event))
    all_->accepted.of({{"role", role}}).Increment();
  if (task.state == task_state::working && task.attempts == 1)
    all_->queue_duration.of({{"role", role}}, task_seconds).Observe(seconds(task.queued));
  if (!is_terminal(task.state))
    return;
  auto state = to_string(task.state);
  all_->finished.of({{"role", role}, {"state", state}}).Increment();
  all_->task_duration.of({{"role", role}, {"state", state}}, task_seconds)
      .Observe(seconds(task.finished_at - task.submitted_at));
}

void metrics::answered(const std::string& method, const std::string& route, unsigned status,
                       std::chrono::steady_clock::duration took) {
  all_->requests
      .of({{"method", known_method(method)}, {"code", std::to_string(status / 100) + "xx"}})
      .Increment();
  all_->request_duration.of({{"route", route}}, request_seconds)
      .Observe(std::chrono::duration<double>(took).count());
}

void metrics::set_journal(bool writable) {
  all_->journal_writable.Add({}).Set(writable ? 1 : 0);
}

void metrics::refused(const std::string& code) {
  all_->rejected.Add({{"reason", code}}).Increment();
}

void metrics::set(const fleet_status& fleet, const routing_status& routing, const stats& counts) {
  move_to(all_->spawned.Add({}), fleet.spawned);
  move_to(all_->spawn_failures.Add({}), fleet.spawns_failed);
  move_to(all_->retired.Add({}), fleet.retired);
  auto working = std::min(counts.open(), counts.working());
  all_->tasks.Add({{"state", "working"}}).Set(static_cast<double>(working));
  all_->tasks.Add({{"state", "submitted"}}).Set(static_cast<double>(counts.open() - working));
  for (const auto& service : fleet.services)
    all_->service_up.Add({{"service", service.name.str()}}).Set(service.reachable ? 1 : 0);
  // Roles without agents and work are not told any more; those past the bound share a label.
  auto names = all_->roles;
  names.insert("other");
  for (const auto& name : names) {
    all_->waiting.Add({{"role", name}}).Set(0);
    for (auto* family : {&all_->running, &all_->desired, &all_->panic, &all_->idle, &all_->slots})
      family->Add({{"role", name}}).Set(0);
    for (const auto* state : {"ready", "draining", "unhealthy", "starting"})
      all_->agents.Add({{"role", name}, {"state", state}}).Set(0);
  }
  auto count = [&](const std::string& role, const char* state, std::uint32_t more) {
    all_->agents.Add({{"role", role}, {"state", state}}).Increment(more);
  };
  for (const auto& role : fleet.role_states) {
    const auto& name = all_->label(role.role);
    count(name, "ready", role.ready);
    count(name, "draining", role.draining);
    count(name, "unhealthy", role.unhealthy);
    count(name, "starting", role.starting);
    all_->desired.Add({{"role", name}}).Increment(role.desired);
    if (role.panic)
      all_->panic.Add({{"role", name}}).Set(1);
  }
  for (const auto& load : routing.agents)
    if (load.agent.state == agent_state::ready) {
      const auto& name = all_->label(load.agent.role);
      all_->idle.Add({{"role", name}}).Increment(load.in_flight == 0 ? 1 : 0);
      all_->slots.Add({{"role", name}}).Increment(load.limit);
    }
  for (const auto& demand : routing.roles) {
    const auto& name = all_->label(demand.role);
    all_->waiting.Add({{"role", name}}).Increment(demand.waiting);
    all_->running.Add({{"role", name}}).Increment(demand.running);
  }
  for (const auto& each : routing.checks) {
    const auto& name = all_->label(each.role);
    move_to(all_->checks.Add({{"role", name}, {"result", "passed"}}), each.passed);
    move_to(all_->checks.Add({{"role", name}, {"result", "failed"}}), each.failed);
  }
}

void metrics::set_readers(std::size_t count, std::uint64_t cut_off) {
  all_->readers.Add({}).Set(static_cast<double>(count));
  move_to(all_->cut_off.Add({}), cut_off);
}

void metrics::set(const cluster_status& cluster) {
  move_to(all_->strangers.Add({}), cluster.refused);
  for (const auto& link : cluster.links) {
    if (link.node.empty())
      continue; // nobody has answered there: it has no name yet
    prometheus::Labels node{{"node", link.node.str()}};
    auto set = [&](prometheus::Family<prometheus::Gauge>& family, double value) {
      family.Add(node).Set(value);
    };
    set(all_->link_up, link.state == "up" ? 1 : 0);
    set(all_->link_round_trip, static_cast<double>(link.round_trip.count()) / 1e6);
    set(all_->link_lag, static_cast<double>(link.lag));
    set(all_->link_queued, static_cast<double>(link.queued));
    all_->link_attempts.Add({{"node", link.node.str()}, {"where", "there"}})
        .Set(static_cast<double>(link.attempts));
    all_->link_attempts.Add({{"node", link.node.str()}, {"where", "here"}})
        .Set(static_cast<double>(link.serving));
    move_to(all_->link_sent.Add(node), link.sent);
    move_to(all_->link_received.Add(node), link.received);
    move_to(all_->link_connects.Add(node), link.connects);
  }
}

void metrics::set(const process_figures& process) {
  all_->start_time.Add({}).Set(process.started_at_s);
  all_->memory.Add({}).Set(process.resident_bytes);
  all_->descriptors.Add({}).Set(process.open_descriptors);
  auto& cpu = all_->cpu.Add({});
  cpu.Increment(std::max(0.0, process.cpu_s - cpu.Value()));
}

std::string metrics::text() const {
  return prometheus::TextSerializer{}.Serialize(all_->registry.Collect());
}

} // namespace rolecall::api
