#include "app/api/stats.hpp"
#include "app/api/task_waits.hpp"

#include <catch2/catch.hpp>

using namespace rolecall;
using namespace rolecall::api;

namespace {

task_event change(task_state state, unix_time at, unix_time submitted = unix_time{0}) {
  task_event result;
  result.number = 1;
  result.at = at;
  result.task.edit().state = state;
  result.task.edit().attempts = state == task_state::submitted ? 0 : 1;
  result.task.edit().submitted_at = submitted;
  if (is_terminal(state))
    result.task.edit().finished_at = at;
  if (state == task_state::completed || state == task_state::failed)
    result.ended.emplace_back();
  return result;
}

task_event after(task_state state, std::uint32_t attempts, std::size_t ended = 0,
                 failure error = {}) {
  task_event result;
  result.task.edit().state = state;
  result.task.edit().attempts = attempts;
  result.task.edit().error = std::move(error);
  result.ended.resize(ended);
  return result;
}

} // namespace

TEST_CASE("percentiles are at most 9 % too high, and never too low") {
  duration_histogram histogram;
  CHECK_FALSE(histogram.percentile(0.5));
  for (int i = 1; i <= 1'000; ++i)
    histogram.add(millis{i});
  for (auto [share, exact] : {std::pair{0.5, 500.0}, {0.9, 900.0}, {0.99, 990.0}, {1.0, 1'000.0}}) {
    auto found = histogram.percentile(share).value();
    CHECK(found >= exact);
    CHECK(found <= exact * 1.1);
  }
  duration_histogram quick;
  quick.add(millis{0});
  CHECK(quick.percentile(0.99) == 1.0);
  quick.add(millis{1'000'000'000'000});
  CHECK(quick.count() == 2);
}

TEST_CASE("tasks are counted by state, those that are open by what they do") {
  stats counts;
  unix_time at{1'000'000};
  for (int i = 0; i < 3; ++i)
    counts.add(change(task_state::submitted, at));
  counts.add(change(task_state::working, at));
  CHECK(counts.open() == 3);
  CHECK(counts.working() == 1);
  counts.add(change(task_state::completed, at));
  CHECK(counts.open() == 2);
  CHECK(counts.working() == 0);
  CHECK(counts.accepted() == 3);
  CHECK(counts.total(task_state::completed) == 1);
  CHECK(counts.retries() == 0);
}

TEST_CASE("an attempt that failed and waits for the next is open and does not work") {
  stats counts;
  unix_time at{0};
  counts.add(change(task_state::submitted, at));
  counts.add(change(task_state::working, at));
  auto waits = change(task_state::submitted, at);
  waits.task.edit().attempts = 1;
  waits.ended.emplace_back();
  counts.add(waits);
  CHECK(counts.accepted() == 1);
  CHECK(counts.working() == 0);
  auto again = change(task_state::working, at);
  again.task.edit().attempts = 2;
  counts.add(again);
  CHECK(counts.retries() == 1);
  CHECK(counts.open() == 1);
}

TEST_CASE("the window has all its spans, and forgets what is older") {
  stats counts;
  unix_time start{5'000'000'000};
  counts.add(change(task_state::submitted, start));
  counts.add(change(task_state::completed, start + millis{20'000}, start));
  auto window = counts.window(start + millis{25'000});
  REQUIRE(window.size() == 90);
  CHECK(window[89].ended[static_cast<std::size_t>(task_state::completed)] == 1);
  CHECK(window[87].accepted == 1);
  CHECK(window[88].accepted == 0);
  CHECK(window[89].latency.percentile(0.5).value() >= 20'000);
  auto later = counts.window(start + millis{900'000});
  CHECK(later.front().latency.count() == 0);
  std::uint64_t accepted = 0;
  for (const auto& bucket : later)
    accepted += bucket.accepted;
  CHECK(accepted == 0);
}

TEST_CASE("a request waits until the last of its tasks has ended, or its time is over") {
  task_waits waits;
  task_waits::time_point start{};
  waits.add(1, {task_id{"a"}, task_id{"b"}}, start + millis{100});
  waits.add(2, {task_id{"b"}}, start + millis{50});
  waits.add(3, {}, start + millis{50});
  using list = std::vector<std::uint64_t>;
  CHECK(waits.take_over(start) == list{3});
  waits.ended(task_id{"a"});
  CHECK(waits.take_over(start).empty());
  CHECK(waits.next_due() == start + millis{50});
  waits.ended(task_id{"b"});
  CHECK_THAT(waits.take_over(start), Catch::UnorderedEquals(list{1, 2}));
  CHECK_FALSE(waits.next_due());
  waits.add(4, {task_id{"c"}}, start + millis{50});
  CHECK(waits.take_over(start + millis{49}).empty());
  CHECK(waits.take_over(start + millis{50}) == list{4});
  waits.ended(task_id{"c"});
  waits.add(5, {task_id{"d"}}, start + millis{50});
  waits.remove(5); // its client has gone
  waits.ended(task_id{"d"});
  CHECK(waits.take_over(start + millis{100}).empty());
}

TEST_CASE("tasks that work are counted, not their attempts") {
  stats counts;
  counts.add(after(task_state::submitted, 0));
  CHECK(counts.open() == 1);
  CHECK(counts.working() == 0);
  counts.add(after(task_state::working, 1));
  CHECK(counts.working() == 1);

  SECTION("a retry follows an end") {
    counts.add(after(task_state::submitted, 1, 1, {ec::timeout, ""}));
    CHECK(counts.working() == 0);
    counts.add(after(task_state::working, 2));
    CHECK(counts.working() == 1);
    CHECK(counts.retries() == 1);
  }
  SECTION("an agent that is busy after all has not worked") {
    counts.add(after(task_state::submitted, 0, 0, {ec::agent_busy, ""}));
    CHECK(counts.working() == 0);
    CHECK(counts.accepted() == 1);
    counts.add(after(task_state::working, 1));
    CHECK(counts.working() == 1);
  }
  SECTION("a hedge is no task more, and no retry") {
    auto hedge = after(task_state::working, 2);
    hedge.hedge = true;
    counts.add(hedge);
    CHECK(counts.working() == 1);
    SECTION("one of the two fails, the other goes on") {
      counts.add(after(task_state::working, 2, 1, {ec::timeout, ""}));
      CHECK(counts.working() == 1);
    }
    SECTION("both end") {
      counts.add(after(task_state::completed, 2, 2));
      CHECK(counts.working() == 0);
      CHECK(counts.open() == 0);
    }
    CHECK(counts.retries() == 0);
  }
}
