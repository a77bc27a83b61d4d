// The checker's core: whom it checks when, and what it makes of the answers. Time goes by as the
// test says.
#include "actors/health/health_checks.hpp"

#include <catch2/catch.hpp>

using namespace rolecall;
using namespace std::chrono_literals;

namespace {

const role_name worker{"worker"};

agent_record record_of(int number, agent_state state = agent_state::ready) {
  agent_record record;
  record.key = {service_name{"s"}, agent_id{"a" + std::to_string(100 + number)}};
  record.role = worker;
  record.max_concurrency = 3;
  record.service_url = "http://service";
  record.state = state;
  return record;
}

struct clinic {
  explicit clinic(health_check check = {}, std::size_t max_in_flight = 16) {
    check.input = json_text{R"({"say":"ping"})"};
    health_options options;
    options.roles[worker] = check;
    options.max_in_flight = max_in_flight;
    checks = health_checks{options};
    interval = check.interval;
  }

  void tell(agent_change change, const agent_record& record) {
    CHECK(checks.apply({++sequence, change, record}, now));
  }
  void up(int number) { tell(agent_change::up, record_of(number)); }

  /// Begins all that is due, and gives the calls.
  std::vector<attempt_request> begin() {
    std::vector<attempt_request> calls;
    for (const auto& key : checks.due(now))
      calls.push_back(checks.begin(key).value());
    return calls;
  }
  /// Moves on until the next checks begin.
  std::vector<attempt_request> next() {
    now = std::max(now, checks.next_due().value());
    return begin();
  }
  health_report end(const attempt_request& call, verdict how = verdict::completed,
                    ec kind = ec::http_status, millis park = 0ms) {
    attempt_outcome outcome;
    outcome.task = call.task;
    outcome.attempt = call.attempt;
    outcome.agent = call.agent;
    outcome.verdict = how;
    outcome.park = park;
    if (how != verdict::completed)
      outcome.error = {kind, "it is so"};
    return checks.ended(outcome, now);
  }
  /// The next check of the only agent ends so.
  health_report check(verdict how, ec kind = ec::http_status, millis park = 0ms) {
    return end(next().at(0), how, kind, park);
  }

  health_checks checks;
  health_checks::time_point now{1h};
  millis interval;
  std::uint64_t sequence{0};
};

} // namespace

TEST_CASE("an agent is checked soon after it has come, and then once an interval") {
  clinic c;
  auto came = c.now;
  c.up(1);
  auto call = c.next().at(0);
  CHECK(c.now - came <= 1s);
  for (int i = 0; i < 20; ++i) {
    auto report = c.end(call);
    CHECK(report.next >= c.interval * 9 / 10);
    CHECK(report.next <= c.interval * 11 / 10);
    auto ended = c.now;
    CHECK(c.begin().empty());
    call = c.next().at(0);
    CHECK(c.now - ended == report.next);
  }
}

TEST_CASE("the call has the role's input, and is one that no task could have made") {
  clinic c;
  c.up(1);
  auto first = c.next().at(0);
  CHECK(first.agent == record_of(1).key);
  CHECK(first.service_url == "http://service");
  CHECK(first.role == worker);
  CHECK(first.max_concurrency == 3);
  CHECK(first.input.str() == R"({"say":"ping"})");
  CHECK(first.timeout == 5s);
  CHECK(first.health_check);
  CHECK(first.task.str().starts_with("health-check-"));
  CHECK(first.traceparent.size() == 55);
  c.end(first);
  auto second = c.next().at(0);
  CHECK(second.task != first.task); // an agent that keeps answers by their key must not repeat one
}

TEST_CASE("failures in a row make an agent unhealthy, passed checks in a row make it well") {
  clinic c;
  c.up(1);
  CHECK(c.check(verdict::retryable).healthy);
  CHECK(c.check(verdict::retryable).healthy);
  CHECK(c.check(verdict::completed).healthy);
  CHECK(c.check(verdict::retryable).healthy);
  CHECK(c.check(verdict::retryable).healthy);
  auto last = c.check(verdict::retryable);
  CHECK_FALSE(last.healthy);
  CHECK(last.error.message == "it is so");
  CHECK_FALSE(c.check(verdict::completed).healthy);
  CHECK_FALSE(c.check(verdict::retryable).healthy);
  CHECK_FALSE(c.check(verdict::completed).healthy);
  auto well = c.check(verdict::completed);
  CHECK(well.healthy);
  CHECK(well.error.code.empty());
}

TEST_CASE("what would be a task's own fault is the agent's in a check") {
  clinic c{{.unhealthy_threshold = 1}};
  c.up(1);
  auto report = c.check(verdict::failed, ec::agent_failed);
  CHECK(report.result == check_result::failed);
  CHECK_FALSE(report.healthy);
}

TEST_CASE("an answer that says busy tells nothing of an agent, and neither does an end of ours") {
  clinic c{{.unhealthy_threshold = 1}};
  c.up(1);
  auto busy = c.check(verdict::retryable, ec::agent_busy);
  CHECK(busy.result == check_result::none);
  CHECK(busy.overloaded);
  auto parked = c.check(verdict::retryable, ec::http_status, 3s); // 503 with Retry-After
  CHECK(parked.result == check_result::none);
  CHECK(parked.park == 3s);
  CHECK(c.check(verdict::busy, ec::agent_busy).result == check_result::none);
  CHECK(c.check(verdict::canceled, ec::canceled).result == check_result::none);
  CHECK(c.check(verdict::retryable, ec::worker_lost).result == check_result::none);
  CHECK(c.check(verdict::retryable, ec::queue_full).healthy);
  CHECK_FALSE(c.check(verdict::retryable, ec::timeout).healthy);
}

TEST_CASE("an agent without a slot for it is checked an interval later") {
  clinic c;
  c.up(1);
  c.now = c.checks.next_due().value();
  auto key = c.checks.due(c.now).at(0);
  c.checks.skip(key, c.now);
  CHECK_FALSE(c.checks.begin(key));
  CHECK(c.checks.next_due().value() >= c.now + c.interval * 9 / 10);
  CHECK(c.check(verdict::completed).result == check_result::passed);
}

TEST_CASE("an agent has one check at a time, and a role no more than a quarter of its agents") {
  clinic c;
  for (int i = 0; i < 12; ++i)
    c.up(i);
  c.now += 1s; // all are due
  auto calls = c.begin();
  REQUIRE(calls.size() == 3);
  CHECK(c.begin().empty());
  CHECK_FALSE(c.checks.next_due()); // it is the end of one that makes room
  c.end(calls[0]);
  CHECK(c.begin().size() == 1);

  clinic large{{}, 2};
  for (int i = 0; i < 100; ++i)
    large.up(i);
  large.now += 1s;
  CHECK(large.begin().size() == 2);

  clinic lone;
  lone.up(1);
  lone.now += 1s;
  CHECK(lone.begin().size() == 1);
  lone.now += 1h;
  CHECK(lone.begin().empty());
}

TEST_CASE("an agent that drains or goes is not checked any more, and its check is canceled") {
  clinic c;
  c.up(1);
  auto call = c.next().at(0);
  c.tell(agent_change::changed, record_of(1, agent_state::draining));
  CHECK(c.checks.take_canceled() == std::vector{call.task});
  CHECK(c.checks.take_canceled().empty());
  auto report = c.end(call, verdict::canceled, ec::canceled);
  CHECK(report.agent == call.agent);
  CHECK(report.result == check_result::none);
  CHECK_FALSE(c.checks.next_due());

  c.tell(agent_change::changed, record_of(1)); // taken back
  call = c.next().at(0);
  c.tell(agent_change::down, record_of(1));
  CHECK(c.checks.take_canceled() == std::vector{call.task});
  CHECK_FALSE(c.checks.next_due());
}

TEST_CASE("an agent that goes while a slot is asked for is not called") {
  clinic c;
  c.up(1);
  c.now = c.checks.next_due().value();
  auto key = c.checks.due(c.now).at(0);
  c.tell(agent_change::down, record_of(1));
  CHECK_FALSE(c.checks.begin(key));
  CHECK(c.checks.take_canceled().empty());
}

TEST_CASE("the end of a canceled check is not taken for that of a later one") {
  clinic c{{.unhealthy_threshold = 1}};
  c.up(1);
  auto old = c.next().at(0);
  c.tell(agent_change::changed, record_of(1, agent_state::draining));
  c.tell(agent_change::changed, record_of(1));
  auto fresh = c.next().at(0);
  CHECK(c.end(old, verdict::retryable).result == check_result::none);
  auto report = c.end(fresh);
  CHECK(report.result == check_result::passed);
  CHECK(report.healthy);
}

TEST_CASE("a record that changes keeps what is known of the agent") {
  clinic c{{.unhealthy_threshold = 2}};
  c.up(1);
  c.check(verdict::retryable);
  auto changed = record_of(1);
  changed.service_url = "http://elsewhere";
  c.tell(agent_change::changed, changed);
  auto call = c.next().at(0);
  CHECK(call.service_url == "http://elsewhere");
  CHECK_FALSE(c.end(call, verdict::retryable).healthy);
}

TEST_CASE("an agent that the registry calls unhealthy has to pass its checks first") {
  clinic c;
  c.tell(agent_change::up, record_of(1, agent_state::unhealthy));
  CHECK_FALSE(c.check(verdict::completed).healthy);
  CHECK(c.check(verdict::completed).healthy);
}

TEST_CASE("agents of roles without a check are left alone") {
  clinic c;
  auto other = record_of(1);
  other.role = role_name{"other"};
  c.tell(agent_change::up, other);
  CHECK_FALSE(c.checks.next_due());
  c.up(2);
  other = record_of(2);
  other.role = role_name{"other"};
  c.tell(agent_change::changed, other);
  CHECK_FALSE(c.checks.next_due());
}

TEST_CASE("a gap in the events wants a snapshot, which says who is there") {
  clinic c;
  c.up(1);
  c.up(2);
  CHECK_FALSE(c.checks.apply({7, agent_change::up, record_of(3)}, c.now));
  c.checks.reset({7, {record_of(2), record_of(3)}}, c.now);
  CHECK(c.checks.apply({6, agent_change::up, record_of(1)}, c.now)); // known from the snapshot
  std::set<agent_key> checked;
  for (int i = 0; i < 2; ++i) {
    auto call = c.next().at(0);
    checked.insert(call.agent);
    c.end(call);
  }
  CHECK(checked == std::set{record_of(2).key, record_of(3).key});
}

TEST_CASE("what an agent says of itself is kept short") {
  clinic c;
  c.up(1);
  attempt_outcome outcome;
  auto call = c.next().at(0);
  outcome.task = call.task;
  outcome.agent = call.agent;
  outcome.verdict = verdict::failed;
  outcome.error = {ec::agent_failed, std::string(1'000'000, 'x')};
  CHECK(c.checks.ended(outcome, c.now).error.message.size() < 2'000);
}
