// What the coordinator does with a journal: the test is the journal, and says what is on disk.
#include "tests/support/chain_fixture.hpp"

#include <catch2/catch.hpp>

using namespace rolecall;
using namespace rolecall::tests;

namespace {

coordinator_options durable() {
  coordinator_options options;
  options.durable = true;
  options.retry.policy.backoff = options.retry.policy.max_backoff = millis{0};
  return options;
}

task_spec last_attempt(const std::string& id) {
  auto task = make_task(id);
  task.max_attempts = 1;
  return task;
}

journal_entry kept_task(const std::string& id, std::uint64_t number) {
  journal_entry entry;
  entry.spec = make_task(id);
  entry.record.edit().id = entry.spec->id;
  entry.record.edit().role = entry.spec->role;
  entry.record.edit().number = number;
  entry.record.edit().submitted_at = unix_time{1'000};
  entry.record.edit().traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  entry.accepted_event = entry.event = 10 * number;
  return entry;
}

/// A task whose first attempt ran when the node ended.
journal_entry kept_attempt(const std::string& id, std::uint64_t number) {
  auto entry = kept_task(id, number);
  entry.record.edit().state = task_state::working;
  entry.record.edit().attempts = 1;
  entry.attempt = 1;
  entry.event += 1;
  attempt_record attempt;
  attempt.attempt = 1;
  attempt.started_event = entry.event;
  entry.history = {attempt};
  return entry;
}

std::shared_ptr<journal_content> content(std::vector<journal_entry> entries) {
  return std::make_shared<journal_content>(journal_content{std::move(entries), 5});
}

struct journal_fixture : chain_fixture {
  explicit journal_fixture(std::shared_ptr<journal_content> kept = nullptr)
      : chain_fixture{{}, durable(), std::move(kept)} {}

  /// Asks, and leaves the answer in `answered` or `last_error` once it comes.
  template <class Result, class... Words>
  void begin(Words... words) {
    // With an argument: CAF 0.17 looks at those of an actor without any all the same.
    system.spawn(
        [this, words...](caf::event_based_actor* asker, const coordinator_actor& whom) {
          asker->request(whom, caf::infinite, words...)
              .then([this](const Result&) { answered = true; },
                    [this](caf::error& error) { last_error = error; });
        },
        coord);
    run();
  }
  void begin_submit(std::vector<task_spec> tasks) {
    begin<submit_result>(atom::submit_v, std::move(tasks));
  }

  /// What has been said to the journal since the last look.
  std::vector<journal_append> appends() {
    run();
    std::vector<journal_append> result;
    auto more = true;
    while (more)
      self->receive([&](atom::append, journal_append& what) { result.push_back(std::move(what)); },
                    [](atom::subscribe, const journal_listener_actor&) {},
                    caf::after(std::chrono::seconds{0}) >> [&] { more = false; });
    for (const auto& append : result)
      latest = append.ticket;
    return result;
  }
  /// Everything so far is on disk.
  void commit() {
    appends();
    self->send(coord, journal_news{latest, {}, {}});
    run();
  }
  void refuse() {
    journal_news news;
    for (const auto& append : appends())
      if (append.acceptance)
        news.refused.push_back(append.ticket);
    news.committed = latest;
    news.trouble = {ec::storage_full, "no room"};
    self->send(coord, news);
    run();
  }
  /// Until nothing new is said.
  void commit_all() {
    for (auto before = latest + 1; before != latest;) {
      before = latest;
      commit();
    }
  }
  std::size_t known(const std::string& id) {
    return ask<std::vector<task_detail>>(coord, atom::describe_v, std::vector{task_id{id}}).size();
  }

  bool answered{false};
  std::uint64_t latest{0};
};

} // namespace

TEST_CASE_METHOD(journal_fixture, "a submit is answered once it is on disk, and starts then") {
  begin_submit({make_task("t")});
  auto said = appends();
  REQUIRE(said.size() == 1);
  CHECK(said[0].acceptance);
  CHECK(said[0].entries.at(0).spec == make_task("t"));
  CHECK_FALSE(answered);
  CHECK(known("t") == 0);
  CHECK(executing() == 0);
  commit();
  CHECK(answered);
  CHECK(known("t") == 1);
  CHECK(executing() == 1);
}

TEST_CASE_METHOD(journal_fixture, "a submit that the disk refuses is as if it had never come") {
  begin_submit({make_task("t")});
  refuse();
  CHECK(last_error == caf::make_error(ec::storage_full, std::string{"no room"}));
  CHECK(known("t") == 0);
  begin_submit({make_task("t")}); // there is room again
  commit();
  CHECK(answered);
  CHECK(known("t") == 1);
}

TEST_CASE_METHOD(journal_fixture, "a result counts, and is told, once it is on disk") {
  self->send(coord, atom::subscribe_v, me<task_listener_actor>());
  begin_submit({make_task("t")});
  commit();
  CHECK(executing() == 1);
  advance(millis{30});
  execute();
  auto said = appends();
  CHECK(said.back().entries.at(0).record->state == task_state::completed);
  CHECK(task("t").state == task_state::working);
  CHECK(task("t").run == millis{30}); // it runs no longer
  commit();
  CHECK(task("t").state == task_state::completed);
}

TEST_CASE_METHOD(journal_fixture, "an attempt does not wait for the disk, but its event does") {
  begin_submit({make_task("t")});
  commit(); // the acceptance
  CHECK(executing() == 1);
  self->send(coord, atom::subscribe_v, me<task_listener_actor>());
  run();
  CHECK(take<task_event>().size() == 1); // how it stands
  commit();                              // the start
  auto events = take<task_event>();
  REQUIRE(events.size() == 1);
  CHECK(events[0].task->state == task_state::working);
}

TEST_CASE_METHOD(journal_fixture, "the last attempt that a task may have waits for the disk") {
  begin_submit({last_attempt("t")});
  commit();
  CHECK(executing() == 0);
  commit();
  CHECK(executing() == 1);
}

TEST_CASE_METHOD(journal_fixture, "the time that an attempt waits for the disk is not its own") {
  begin_submit({last_attempt("t")});
  commit();
  advance(durable().timeout + durable().outcome_grace + millis{1'000});
  CHECK_FALSE(is_terminal(task("t").state));
  commit();
  CHECK(executing() == 1);
  execute();
  commit_all();
  CHECK(task("t").state == task_state::completed);
}

TEST_CASE_METHOD(journal_fixture,
                 "an attempt waits until the start of the one before it is on disk") {
  begin_submit({make_task("t")});
  commit();
  CHECK(executing() == 1);
  execute("", 503, "{}");
  advance(millis{100});
  CHECK(executing() == 0); // the first start may still be lost
  commit();
  CHECK(executing() == 1);
}

TEST_CASE_METHOD(journal_fixture,
                 "a task that is canceled while its start waits for the disk never runs") {
  begin_submit({last_attempt("t")});
  commit();
  begin<task_record>(atom::cancel_v, task_id{"t"});
  commit_all();
  CHECK(answered);
  CHECK(task("t").state == task_state::canceled);
  CHECK(executing() == 0);
  begin_submit({make_task("next")}); // the slot is free
  commit_all();
  CHECK(executing() == 1);
}

TEST_CASE_METHOD(journal_fixture, "a cancel is answered once it is on disk") {
  begin_submit({make_task("t")});
  commit_all();
  answered = false;
  begin<task_record>(atom::cancel_v, task_id{"t"});
  CHECK_FALSE(answered);
  CHECK(client->canceled.size() == 1); // the agent does not wait for that
  CHECK(task("t").state == task_state::working);
  commit();
  CHECK(answered);
  CHECK(task("t").state == task_state::canceled);
}

TEST_CASE_METHOD(journal_fixture, "who repeats a submit waits for the same commit") {
  begin_submit({make_task("t")});
  begin_submit({make_task("t")});
  CHECK_FALSE(answered);
  refuse();
  CHECK_FALSE(answered); // neither of them was accepted
}

TEST_CASE_METHOD(journal_fixture, "a drain waits for what runs, and keeps what waits for later") {
  auto after = make_task("after");
  after.depends_on = {task_id{"t"}};
  begin_submit({make_task("t"), make_task("fails"), after});
  commit_all();
  CHECK(executing() == 2);
  answered = false;
  begin<std::uint64_t>(atom::drain_v);
  CHECK_FALSE(answered);
  execute("", 200);
  execute("", 503, "{}");
  advance(millis{100});
  CHECK_FALSE(answered); // the results are not on disk
  commit_all();
  CHECK(answered);
  CHECK(executing() == 0);
  CHECK(task("t").state == task_state::completed);
  CHECK(task("fails").attempts == 1);
  CHECK(ask<std::uint64_t>(coord, atom::drain_v) == 2);
}

TEST_CASE_METHOD(journal_fixture, "an agent that gets free during a drain gets nothing more") {
  std::vector<task_spec> tasks;
  for (int i = 0; i < 9; ++i)
    tasks.push_back(make_task("t" + std::to_string(i)));
  begin_submit(tasks);
  commit_all();
  CHECK(executing() == 8); // as many as there may be agents
  answered = false;
  begin<std::uint64_t>(atom::drain_v);
  for (int i = 0; i < 8; ++i) {
    execute();
    commit_all();
    CHECK(executing() == 7u - i);
  }
  CHECK(answered);
  CHECK(task("t8").state == task_state::submitted);
}

TEST_CASE("after a restart a task that never started starts, and its number goes on") {
  journal_fixture node{content({kept_task("t", 7)})};
  CHECK(node.known("t") == 1);
  node.commit_all();
  CHECK(node.executing() == 1);
  node.begin_submit({make_task("next")});
  auto said = node.appends();
  CHECK(said.back().entries.at(0).record->number == 8);
}

TEST_CASE("after a restart an attempt that ran counts, and the next has a number never used") {
  journal_fixture node{content({kept_attempt("t", 1)})};
  node.commit_all();
  node.advance(millis{10});
  node.commit_all();
  auto task =
      node.ask<std::vector<task_detail>>(node.coord, atom::describe_v, std::vector{task_id{"t"}});
  REQUIRE(task.size() == 1);
  REQUIRE(task[0].history.size() == 2);
  CHECK(task[0].history[0].error.kind == ec::node_stopped);
  CHECK(task[0].history[1].attempt == 3); // 2 may have begun without a trace
  CHECK(task[0].record->attempts == 2);
}

TEST_CASE("after a restart the last attempt is not made twice") {
  auto entry = kept_attempt("t", 1);
  entry.spec.edit().max_attempts = 1;
  journal_fixture node{content({entry})};
  node.commit_all();
  CHECK(node.executing() == 0);
  CHECK(node.task("t").state == task_state::failed);
  CHECK(node.task("t").error.kind == ec::node_stopped);
}

TEST_CASE("after a restart what was over is over, and its dependents go on") {
  auto first = kept_task("a", 1);
  first.record.edit().state = task_state::completed;
  first.record.edit().output = json_text{"41"};
  auto second = kept_task("b", 2);
  second.spec.edit().depends_on = {task_id{"a"}};
  auto third = kept_task("c", 3);
  third.spec.edit().depends_on = {task_id{"b"}};
  journal_fixture node{content({first, second, third})};
  node.commit_all();
  REQUIRE(node.executing() == 1);
  auto* call = node.client->find("/execute");
  REQUIRE(call);
  CHECK(call->body().find(R"("dependencies":{"a":41})") != std::string::npos);
  node.execute();
  node.commit_all();
  CHECK(node.executing() == 1); // c
}

TEST_CASE("after a restart events of before can be told again, and new ones have greater numbers") {
  journal_fixture node{content({kept_attempt("t", 1)})};
  node.self->send(node.coord, atom::subscribe_v, node.me<task_listener_actor>(), std::uint32_t{10});
  auto events = node.take<task_event>();
  REQUIRE(events.size() >= 3);
  CHECK(events[0].replayed);
  CHECK(events[0].number == 10);
  CHECK(events[0].task->state == task_state::submitted);
  CHECK(events[1].number == 11);
  CHECK(events[1].task->state == task_state::working);
  CHECK(events[2].number == 0); // how it stands
  node.commit_all();
  for (const auto& event : node.take<task_event>())
    CHECK(event.number > 11);
}

TEST_CASE("a number that a recovery left out is not used after the next crash either") {
  auto numbers_after = [](const std::vector<journal_entry>& kept) {
    journal_fixture node{content(kept)};
    node.appends();
    // Nothing of this life reaches the disk: what was sent to an agent is only known there.
    auto sent = node.executing();
    return sent;
  };
  CHECK(numbers_after({kept_task("t", 1)}) == 0); // its start waits, for it may be used again
  auto later = kept_attempt("t", 1);
  later.attempt = 2;
  CHECK(numbers_after({later}) == 0);
}

TEST_CASE_METHOD(journal_fixture, "a deadline counts while the acceptance waits for the disk") {
  auto task_with_deadline = make_task("t");
  task_with_deadline.deadline = millis{100};
  begin_submit({task_with_deadline});
  advance(millis{200});
  commit_all();
  advance(millis{10});
  commit_all();
  CHECK(task("t").error.kind == ec::deadline_exceeded);
}

TEST_CASE("attempts that ended with the node take nothing from the retry budget") {
  std::vector<journal_entry> kept;
  for (std::uint64_t number = 1; number <= 200; ++number)
    kept.push_back(kept_attempt("t" + std::to_string(number), number));
  journal_fixture node{content(kept)};
  node.advance(millis{20}); // a budget of 100 and 10 a second would not do for all
  node.commit_all();
  node.advance(millis{20});
  auto status = node.ask<routing_status>(node.rt, atom::status_v);
  std::uint32_t asked = 0;
  for (const auto& role : status.roles)
    asked += role.waiting + role.running;
  CHECK(asked == 200);
}
