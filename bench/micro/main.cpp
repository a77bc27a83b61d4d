// What the parts of a task's way cost by themselves: a message between two actors on an event loop,
// the texts that a task becomes, a placement, and what the journal writes.
#include "actors/journal/entry_codec.hpp"
#include "actors/journal/journal_store.hpp"
#include "actors/router/routing_table.hpp"
#include "app/api/views.hpp"
#include "app/loop_scheduler.hpp"
#include "messages/json_codec.hpp"
#include "net/event_loop.hpp"
#include "net/sha256.hpp"

#include <benchmark/benchmark.h>
#include <caf/all.hpp>

#include <filesystem>
#include <future>

using namespace rolecall;

namespace {

constexpr auto submitted = R"({"role":"worker","input":{"question":"how long is it?","n":17},)"
                           R"("labels":{"tenant":"a"},"priority":3})";

task_detail some_task() {
  task_detail result;
  std::vector<problem> problems;
  auto& spec = result.spec.edit();
  spec = *read_task(nlohmann::json::parse(submitted), "", problems);
  spec.id = task_id{"task-0123456789abcdef"};
  auto& record = result.record.edit();
  record.id = spec.id;
  record.role = spec.role;
  record.state = task_state::completed;
  record.attempts = 1;
  record.agent = {service_name{"local"}, agent_id{"worker-1"}, node_name{"one"}};
  record.output = json_text{R"({"answer":"quite long"})"};
  record.labels = spec.labels;
  record.submitted_at = record.started_at = record.finished_at = unix_time{1'700'000'000'123};
  attempt_record attempt;
  attempt.attempt = 1;
  attempt.agent = record.agent;
  attempt.ended = true;
  attempt.verdict = verdict::completed;
  auto& its_receipt = attempt.receipt.edit();
  its_receipt.url = "http://127.0.0.1:8052/agents/worker-1/execute";
  its_receipt.request_sha256 = its_receipt.answer_sha256 = net::sha256_hex("x");
  its_receipt.http_status = 200;
  result.history.push_back(attempt);
  return result;
}

journal_append some_entries(std::size_t count, std::uint64_t from) {
  journal_append result;
  auto task = some_task();
  for (std::size_t i = 0; i < count; ++i) {
    journal_entry entry;
    entry.spec = task.spec;
    entry.record = task.record;
    entry.record.edit().number = from + i;
    entry.spec.edit().id = entry.record.edit().id = task_id{"task-" + std::to_string(from + i)};
    result.entries.push_back(std::move(entry));
  }
  return result;
}

void message_between_actors(benchmark::State& state) {
  net::event_loop loop;
  caf::actor_system_config config;
  loop_scheduler::load(config, {&loop.context()});
  caf::actor_system system{config};
  auto echo = system.spawn([](caf::event_based_actor*) -> caf::behavior {
    return {[](std::uint64_t left) { return left; }};
  });
  constexpr std::uint64_t pairs = 10'000;
  for ([[maybe_unused]] auto _ : state) {
    std::promise<void> done;
    system.spawn([&](caf::event_based_actor* self) -> caf::behavior {
      self->send(echo, pairs);
      return {[&, self](std::uint64_t left) {
        if (left > 0)
          return self->send(echo, left - 1);
        done.set_value();
        self->quit();
      }};
    });
    done.get_future().wait();
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(2 * pairs * state.iterations()));
  caf::anon_send_exit(echo, caf::exit_reason::user_shutdown);
}
BENCHMARK(message_between_actors)->Unit(benchmark::kMillisecond)->UseRealTime();

void read_a_task(benchmark::State& state) {
  for ([[maybe_unused]] auto _ : state) {
    std::vector<problem> problems;
    auto value = parse_json(submitted, {1u << 20, max_payload_depth}, problems);
    benchmark::DoNotOptimize(read_task(*value, "", problems));
  }
}
BENCHMARK(read_a_task);

void write_a_task(benchmark::State& state) {
  auto task = some_task();
  for ([[maybe_unused]] auto _ : state)
    benchmark::DoNotOptimize(api::task_view(task));
}
BENCHMARK(write_a_task);

void write_a_journal_row(benchmark::State& state) {
  auto entry = some_entries(1, 1).entries.front();
  for ([[maybe_unused]] auto _ : state) {
    benchmark::DoNotOptimize(encode_accepted(entry));
    benchmark::DoNotOptimize(encode_progress(entry));
  }
}
BENCHMARK(write_a_journal_row);

void hash_a_kilobyte(benchmark::State& state) {
  std::string text(1'024, 'x');
  for ([[maybe_unused]] auto _ : state)
    benchmark::DoNotOptimize(net::sha256_hex(text));
}
BENCHMARK(hash_a_kilobyte);

/// A task that comes, its placement, and its end.
void place_a_task(benchmark::State& state) {
  routing_table table;
  agent_snapshot snapshot;
  for (int i = 0; i < state.range(0); ++i) {
    agent_record record;
    record.key = {service_name{"local"}, agent_id{"a" + std::to_string(i)}};
    record.role = role_name{"worker"};
    record.max_concurrency = 64;
    snapshot.agents.push_back(std::move(record));
  }
  routing_table::time_point now{std::chrono::hours{1}};
  table.reset(snapshot, now);
  std::uint64_t number = 0;
  for ([[maybe_unused]] auto _ : state) {
    now += std::chrono::microseconds{10};
    placement_request request;
    request.task = task_id{"t" + std::to_string(++number)};
    request.attempt = 1;
    request.role = role_name{"worker"};
    request.age = number;
    table.place(std::move(request));
    for (const auto& decision : table.dispatch(now)) {
      const auto& where = std::get<placement>(decision);
      attempt_outcome outcome;
      outcome.task = where.task;
      outcome.attempt = where.attempt;
      outcome.agent = where.agent.key;
      outcome.elapsed = micros{100};
      table.finished(outcome, now);
    }
  }
}
BENCHMARK(place_a_task)->Arg(8)->Arg(1'000);

/// One transaction, on the disk that the temporary folder is on.
void append_to_the_journal(benchmark::State& state) {
  auto folder =
      std::filesystem::temp_directory_path() / ("rolecall-micro-" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  {
    auto opened = journal_store::open(folder / "micro.db", journal_store::access::write);
    auto& store = std::get<std::unique_ptr<journal_store>>(opened);
    std::uint64_t number = 1;
    auto count = static_cast<std::size_t>(state.range(0));
    for ([[maybe_unused]] auto _ : state) {
      if (auto wrong = store->commit({some_entries(count, number)}))
        state.SkipWithError(wrong->message.c_str());
      number += count;
    }
    state.SetItemsProcessed(static_cast<std::int64_t>(number - 1));
  }
  std::filesystem::remove_all(folder);
}
BENCHMARK(append_to_the_journal)->Arg(1)->Arg(16)->Arg(128)->UseRealTime();

} // namespace

BENCHMARK_MAIN();
