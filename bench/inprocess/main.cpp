// Tasks through the actors of a node, with nothing before them: each that ends is followed by the
// next, so that there are always so many in flight.
#include "app/event_logger.hpp"
#include "app/node.hpp"
#include "app/startup.hpp"

#include <CLI/CLI.hpp>

#include <caf/send.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdio>
#include <future>
#include <unordered_map>

using namespace rolecall;

namespace {

using clock_type = std::chrono::steady_clock;

struct options {
  std::string service;
  std::string journal;
  std::size_t in_flight{64};
  int threads{1};
  std::size_t tasks{0}; // 0: as many as there are in the time
  double seconds{3};
};

struct figures {
  std::vector<double> took_us;
  std::size_t failed{0};
  double seconds{0};
};

struct driver_state {
  std::unordered_map<task_id, clock_type::time_point> running;
  std::size_t sent{0};
  bool warm{false}; // the first task has found its agent
  clock_type::time_point started;
  figures result;
};

using driver_self = task_listener_actor::stateful_pointer<driver_state>;

void submit(driver_self self, const coordinator_actor& to, std::size_t count) {
  auto& state = self->state;
  std::vector<task_spec> tasks(count);
  auto now = clock_type::now();
  for (auto& task : tasks) {
    task.id = task_id{"t" + std::to_string(++state.sent)};
    task.role = role_name{"worker"};
    task.input = json_text{R"({"n":1})"};
    state.running.emplace(task.id, now);
  }
  self->request(to, caf::infinite, atom::submit_v, std::move(tasks))
      .then([](const submit_result&) {},
            [](const caf::error& error) {
              std::fprintf(stderr, "%s\n", to_failure(error).message.c_str());
              std::exit(1);
            });
}

task_listener_actor::behavior_type driver(driver_self self, coordinator_actor to, options settings,
                                          std::promise<figures>* done) {
  self->send(to, atom::subscribe_v, caf::actor_cast<task_listener_actor>(self));
  submit(self, to, 1);
  return {
      [self, to = std::move(to), settings = std::move(settings), done](const task_event& event) {
        auto& state = self->state;
        auto found = state.running.find(event.task->id);
        if (found == state.running.end() || !is_terminal(event.task->state))
          return;
        auto now = clock_type::now();
        if (state.warm)
          state.result.took_us.push_back(
              std::chrono::duration<double, std::micro>(now - found->second).count());
        state.result.failed += event.task->state == task_state::completed ? 0 : 1;
        state.running.erase(found);
        if (!std::exchange(state.warm, true)) {
          state.started = now;
          return submit(self, to, settings.in_flight);
        }
        auto took = std::chrono::duration<double>(now - state.started).count();
        if (settings.tasks > 0 ? state.sent <= settings.tasks : took < settings.seconds)
          return submit(self, to, 1);
        if (!state.running.empty())
          return;
        state.result.seconds = took;
        done->set_value(std::move(state.result));
        self->quit();
      }};
}

double percentile(const std::vector<double>& sorted, double share) {
  return sorted.empty()
             ? 0
             : sorted[static_cast<std::size_t>(share * static_cast<double>(sorted.size() - 1))];
}

} // namespace

int main(int argc, char** argv) {
  options settings;
  CLI::App app{"Tasks through the actors of a node"};
  app.add_option("--service", settings.service, "URL of the agents service")->required();
  app.add_option("--journal", settings.journal, "File of the journal; none without it");
  app.add_option("--in-flight", settings.in_flight, "How many at a time")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
  app.add_option("--threads", settings.threads, "Of the node")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  app.add_option("--tasks", settings.tasks, "How many in all; 0: for some time");
  app.add_option("--seconds", settings.seconds, "For how long")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  nlohmann::json text{{"services", {{{"name", "echo"}, {"url", settings.service}}}},
                      {"roles", {{"worker", {{"max_agents", 1'000}}}}},
                      {"log", {{"level", "error"}}},
                      {"node", {{"threads", settings.threads}}},
                      {"execution", {{"max_tasks", 1'000'000}}}};
  auto read = parse_config(text.dump());
  if (const auto* wrong = std::get_if<std::vector<problem>>(&read)) {
    std::fprintf(stderr, "%s\n", to_text(*wrong).c_str());
    return 2;
  }
  const auto& about = std::get<config>(read);
  set_up_log(about.node.log);
  std::promise<figures> done;
  figures result;
  {
    node running{about, open_journal(settings.journal)};
    running.system().spawn(driver, running.coordinator(), settings, &done);
    result = done.get_future().get();
  }
  auto& took = result.took_us;
  std::sort(took.begin(), took.end());
  std::printf("%s\n",
              nlohmann::json{{"per_second", static_cast<double>(took.size()) / result.seconds},
                             {"tasks", took.size()},
                             {"p50_ms", percentile(took, 0.5) / 1e3},
                             {"p99_ms", percentile(took, 0.99) / 1e3},
                             {"p999_ms", percentile(took, 0.999) / 1e3},
                             {"errors", result.failed}}
                  .dump()
                  .c_str());
  return result.failed == 0 ? 0 : 1;
}
