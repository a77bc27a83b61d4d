// A second attempt beside one that is slow.
#include "actors/coordinator/hedging.hpp"
#include "actors/coordinator/task_book.hpp"

#include <catch2/catch.hpp>

using namespace rolecall;

namespace {

coordinator_options hedging() {
  coordinator_options options;
  options.retry.hedge = true;
  options.retry.policy.backoff = options.retry.policy.max_backoff = millis{0};
  return options;
}

task_spec idempotent(const std::string& id) {
  task_spec spec;
  spec.id = task_id{id};
  spec.role = role_name{"r"};
  spec.input = json_text{"1"};
  spec.idempotent = true;
  return spec;
}

/// The book, with the test as router, pool and journal.
struct hedging_fixture {
  explicit hedging_fixture(coordinator_options options = hedging()) : book{std::move(options)} {}

  template <class T>
  std::vector<T> take() {
    std::vector<T> result;
    for (auto& effect : todo)
      if (auto* it = std::get_if<T>(&effect))
        result.push_back(*it);
    std::erase_if(todo, [](const auto& effect) { return std::holds_alternative<T>(effect); });
    return result;
  }
  void add(task_book::effects more) {
    std::move(more.begin(), more.end(), std::back_inserter(todo));
  }
  void submit(task_spec spec) {
    add(std::get<task_book::admission>(book.submit({std::move(spec)}, now)).todo);
  }
  /// Gives every request an agent of its own.
  void place() {
    for (const auto& request : take<placement_request>()) {
      placement p;
      p.task = request.task;
      p.attempt = request.attempt;
      p.agent.key = {service_name{"s"}, agent_id{"a" + std::to_string(request.attempt)}};
      add(book.on_placement(p, now));
    }
  }
  void end(const std::string& id, std::uint32_t attempt, verdict what, micros elapsed = {}) {
    attempt_outcome outcome;
    outcome.task = task_id{id};
    outcome.attempt = attempt;
    outcome.agent = {service_name{"s"}, agent_id{"a" + std::to_string(attempt)}};
    outcome.verdict = what;
    outcome.elapsed = elapsed;
    if (what == verdict::completed)
      outcome.output = json_text{std::to_string(attempt)};
    else
      outcome.error = {ec::agent_failed, "no"};
    add(book.on_outcome(outcome, now));
  }
  void wait(millis more) {
    now += more;
    add(book.on_wake(now));
  }
  /// So many tasks of 100 ms each are over.
  void learn(int tasks = 40) {
    for (int i = 0; i < tasks; ++i) {
      auto id = "learn" + std::to_string(i);
      submit(idempotent(id));
      place();
      end(id, 1, verdict::completed, micros{100'000});
    }
    todo.clear();
  }
  /// A task whose attempt is slow, and whose hedge has been asked for.
  void slow(task_spec spec = idempotent("t")) {
    learn();
    submit(std::move(spec));
    place();
    todo.clear();
    wait(millis{101});
  }
  task_detail task() { return *book.describe(task_id{"t"}, now); }

  task_book book;
  task_book::time_point now{std::chrono::hours{1}};
  task_book::effects todo;
};

} // namespace

TEST_CASE("the 95th percentile is known after twenty attempts, and follows the latest") {
  run_times times;
  for (int i = 1; i < 20; ++i)
    times.add(micros{i});
  CHECK_FALSE(times.p95());
  times.add(micros{20});
  CHECK(times.p95() == micros{20});
  for (int i = 0; i < 512; ++i)
    times.add(micros{i % 100 < 90 ? 10 : 1'000});
  CHECK(times.p95() == micros{1'000});
  for (int i = 0; i < 512; ++i)
    times.add(micros{i % 100 < 97 ? 10 : 1'000});
  CHECK(times.p95() == micros{10});
}

TEST_CASE("classes of tasks are bounded, whatever labels there are") {
  hedge_rules rules{0.05};
  for (int i = 0; i < 2'000; ++i)
    for (int n = 0; n < 20; ++n)
      rules.ran(std::to_string(i), micros{i < 1'000 ? 5 : 7});
  CHECK(rules.delay("3") == micros{5});
  CHECK(rules.delay("1999") == micros{7}); // with all those that came too late
}

TEST_CASE_METHOD(hedging_fixture, "a slow attempt gets one beside it, on another agent") {
  slow();
  auto asked = take<placement_request>();
  REQUIRE(asked.size() == 1);
  CHECK(asked[0].hedge);
  CHECK(asked[0].attempt == 2);
  CHECK(asked[0].avoid == std::vector{agent_key{service_name{"s"}, agent_id{"a1"}}});
  todo.emplace_back(asked[0]);
  place();
  auto sent = take<attempt_request>();
  REQUIRE(sent.size() == 1);
  CHECK(sent[0].attempt == 2);
  auto seen = task();
  CHECK(seen.record->state == task_state::working);
  CHECK(seen.record->attempts == 2);
  REQUIRE(seen.history.size() == 2);
  CHECK_FALSE(seen.history[0].hedge);
  CHECK(seen.history[1].hedge);
}

TEST_CASE_METHOD(hedging_fixture, "the first of the two to end counts, and the other is canceled") {
  slow();
  place();
  todo.clear();
  auto winner = GENERATE(1u, 2u);
  auto loser = 3 - winner;
  wait(millis{20});
  end("t", winner, verdict::completed, micros{20'000});
  auto canceled = take<task_book::cancel_attempt>();
  REQUIRE(canceled.size() == 1);
  CHECK(canceled[0].attempt == loser);
  auto seen = task();
  CHECK(seen.record->state == task_state::completed);
  CHECK(seen.record->output.str() == std::to_string(winner));
  CHECK(seen.record->agent.id.str() == "a" + std::to_string(winner));
  CHECK(seen.record->run == millis{20});
  CHECK(seen.history[loser - 1].verdict == verdict::canceled);
  auto events = take<task_event>();
  REQUIRE(events.size() == 1);
  CHECK(events[0].ended.size() == 2);
  todo.clear();
  end("t", loser, verdict::canceled); // what the pool says
  CHECK(take<task_event>().empty());
  CHECK(take<attempt_outcome>().size() == 1); // the router gets the slot back
  CHECK(book.quiet());
}

TEST_CASE_METHOD(hedging_fixture, "if one of the two fails, the other goes on") {
  slow();
  place();
  todo.clear();
  auto loser = GENERATE(1u, 2u);
  end("t", loser, verdict::retryable);
  CHECK(task().record->state == task_state::working);
  CHECK(task().record->agent.id.str() == "a" + std::to_string(3 - loser));
  CHECK(take<placement_request>().empty());
  SECTION("to the end") {
    end("t", 3 - loser, verdict::completed);
    CHECK(task().record->state == task_state::completed);
  }
  SECTION("and is followed by a retry with a number of its own") {
    end("t", 3 - loser, verdict::retryable);
    wait(millis{1});
    auto asked = take<placement_request>();
    REQUIRE(asked.size() == 1);
    CHECK(asked[0].attempt == 3);
    CHECK_FALSE(asked[0].hedge);
    CHECK(asked[0].avoid.size() == 2);
  }
}

TEST_CASE_METHOD(hedging_fixture, "a fault of the task itself ends both") {
  slow();
  place();
  todo.clear();
  end("t", 2, verdict::failed);
  CHECK(task().record->state == task_state::failed);
  CHECK(take<task_book::cancel_attempt>().size() == 1);
}

TEST_CASE_METHOD(hedging_fixture, "who cancels the task cancels both") {
  slow();
  place();
  todo.clear();
  std::uint64_t count = 0;
  add(book.cancel({task_id{"t"}}, now, count).todo);
  CHECK(count == 1);
  CHECK(take<task_book::cancel_attempt>().size() == 2);
  CHECK(task().record->state == task_state::canceled);
}

TEST_CASE_METHOD(hedging_fixture, "a hedge for which nobody is free is asked for again later") {
  slow();
  auto asked = take<placement_request>();
  REQUIRE(asked.size() == 1);
  add(book.on_refused({task_id{"t"}, asked[0].attempt, {ec::agent_busy, "nobody"}}, now));
  CHECK(task().record->attempts == 1);
  wait(millis{99});
  CHECK(take<placement_request>().empty());
  wait(millis{2});
  asked = take<placement_request>();
  REQUIRE(asked.size() == 1);
  CHECK(asked[0].attempt == 3);
}

TEST_CASE_METHOD(hedging_fixture, "an agent that comes when the attempt is over is given back") {
  slow();
  auto asked = take<placement_request>();
  end("t", 1, verdict::completed);
  todo = {asked.at(0)};
  place();
  CHECK(take<attempt_request>().empty());
  auto back = take<attempt_outcome>();
  REQUIRE(back.size() == 1);
  CHECK(back[0].attempt == 2);
}

TEST_CASE_METHOD(hedging_fixture, "hedges that never answer are given up like every attempt") {
  slow();
  place();
  todo.clear();
  for (int i = 0; i < 200 && !is_terminal(task().record->state); ++i) {
    wait(millis{1'000});
    place();
  }
  CHECK(task().record->state == task_state::failed);
  CHECK(task().record->attempts == 3);
}

TEST_CASE_METHOD(hedging_fixture, "no hedge for a task that may not run twice") {
  SECTION("that is not marked") {
    auto spec = idempotent("t");
    spec.idempotent = false;
    slow(spec);
  }
  SECTION("that may have one attempt only") {
    auto spec = idempotent("t");
    spec.max_attempts = 1;
    slow(spec);
  }
  CHECK(take<placement_request>().empty());
}

TEST_CASE("no hedge where nobody has asked for them") {
  hedging_fixture without{coordinator_options{}};
  without.slow();
  CHECK(without.take<placement_request>().empty());
}

TEST_CASE_METHOD(hedging_fixture, "hedges are a small share of all attempts") {
  learn(100);
  for (int i = 0; i < 100; ++i) {
    submit(idempotent("s" + std::to_string(i)));
    place();
  }
  todo.clear();
  std::size_t hedges = 0;
  for (int i = 0; i < 100; ++i) {
    wait(millis{101});
    hedges += take<placement_request>().size() > 0;
    place();
  }
  CHECK(hedges <= 10);
}

TEST_CASE("a hedge starts once it is on disk: after a crash its number is never used again") {
  auto options = hedging();
  options.durable = true;
  hedging_fixture there{options};
  std::uint64_t committed = 0;
  std::vector<journal_entry> kept;
  auto commit = [&] {
    for (auto& append : there.take<journal_append>()) {
      committed = append.ticket;
      for (auto& entry : append.entries)
        if (entry.record->id.str() == "t") {
          if (!kept.empty() && entry.spec->id.empty())
            entry.spec = kept[0].spec;
          kept = {entry};
        }
    }
    there.add(there.book.on_journal({committed, {}, {}}, there.now));
  };
  for (int i = 0; i < 40; ++i) {
    auto id = "learn" + std::to_string(i);
    there.submit(idempotent(id));
    commit();
    there.place();
    commit();
    there.end(id, 1, verdict::completed, micros{100'000});
    commit();
  }
  there.submit(idempotent("t"));
  commit();
  there.place();
  commit();
  there.todo.clear();
  there.wait(millis{101});
  there.place();
  CHECK(there.take<attempt_request>().empty());
  commit();
  CHECK(there.take<attempt_request>().size() == 1);

  hedging_fixture after{options};
  after.add(after.book.recover(kept, after.now));
  CHECK(after.task().history.at(0).error.kind == ec::node_stopped);
  CHECK(after.task().history.at(1).error.kind == ec::node_stopped);
  after.wait(millis{1});
  auto asked = after.take<placement_request>();
  REQUIRE(asked.size() == 1);
  CHECK(asked[0].attempt == 4); // 3 may have been given out, and not have reached the disk
}

TEST_CASE_METHOD(hedging_fixture, "an event that tells of the end of both is told again once") {
  auto options = hedging();
  slow();
  place();
  journal_entry kept;
  kept.spec = idempotent("t");
  kept.record = task().record;
  kept.history = task().history;
  kept.attempt = 2;
  kept.accepted_event = 1;
  kept.event = 3;
  kept.history[0].started_event = 2;
  kept.history[1].started_event = 3;
  hedging_fixture after{options};
  after.add(after.book.recover({kept}, after.now)); // the end of both is one event
  after.wait(millis{1});
  after.place(); // and another follows
  std::vector<std::uint64_t> numbers;
  for (const auto& event : after.book.past_events(100))
    numbers.push_back(event.number);
  REQUIRE(numbers.size() == 5); // submit, two starts, the end of both, the next start
  CHECK(std::is_sorted(numbers.begin(), numbers.end()));
  CHECK(std::adjacent_find(numbers.begin(), numbers.end()) == numbers.end());
}

TEST_CASE("a task's class and fairness key are the labels that the configuration names") {
  auto request_with = [](task_labels labels) {
    auto options = hedging();
    options.labels = std::move(labels);
    hedging_fixture f{std::move(options)};
    auto spec = idempotent("t");
    spec.labels = {{"tenant", "a"}, {"class", "b"}, {"team", "c"}};
    f.submit(spec);
    return f.take<placement_request>().at(0);
  };
  CHECK(request_with({}).fairness_key == "a");
  CHECK(request_with({}).task_class == "b");
  auto other = request_with({"team", "kind"});
  CHECK(other.fairness_key == "c");
  CHECK(other.task_class.empty());
}
