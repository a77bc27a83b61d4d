#include "actors/coordinator/retry_rules.hpp"

#include <catch2/catch.hpp>

using namespace rolecall;

namespace {

attempt_outcome ended(verdict how, ec kind, const std::string& code = "") {
  attempt_outcome result;
  result.verdict = how;
  result.error = {kind, "why"};
  if (!code.empty())
    result.error.code = code;
  return result;
}

} // namespace

TEST_CASE("a task's own rules go before its role's, and those before everybody's") {
  retry_options all{3, {millis{200}, millis{10'000}, {}}, std::nullopt};
  retry_options role{5, {millis{1}, millis{-1}, {"boom"}}, std::nullopt};
  task_spec task;
  auto rules = rules_for(task, nullptr, all);
  CHECK(rules.max_attempts == 3);
  CHECK(rules.backoff == millis{200});
  CHECK_FALSE(rules.codes);
  rules = rules_for(task, &role, all);
  CHECK(rules.max_attempts == 5);
  CHECK(rules.backoff == millis{1});
  CHECK(rules.max_backoff == millis{10'000});
  REQUIRE(rules.codes);
  task.max_attempts = 1;
  task.retry = {millis{0}, millis{0}, {"timeout"}};
  rules = rules_for(task, &role, all);
  CHECK(rules.max_attempts == 1);
  CHECK(rules.backoff == millis{0});
  CHECK(*rules.codes == std::vector<std::string>{"timeout"});
}

TEST_CASE(
    "a first wait that is longer than everybody's bound brings its own, unless that is named") {
  retry_options all{3, {millis{200}, millis{10'000}, {}}, std::nullopt};
  retry_options role{0, {millis{30'000}, millis{-1}, {}}, std::nullopt};
  task_spec task;
  CHECK(rules_for(task, &role, all).backoff_bound(1) == millis{30'000});
  task.retry.max_backoff = millis{2'000};
  CHECK(rules_for(task, &role, all).backoff_bound(1) == millis{2'000});
  task.retry = {millis{20'000}, millis{-1}, {}};
  CHECK(rules_for(task, nullptr, all).backoff_bound(1) == millis{20'000});
  retry_options bounded{0, {millis{-1}, millis{100}, {}}, std::nullopt};
  CHECK(rules_for({}, &bounded, all).backoff_bound(1) == millis{100});
}

TEST_CASE("without codes the verdict says whether there is another attempt, with codes they do") {
  std::vector<std::string> codes{"boom", "timeout"};
  retry_rules by_verdict;
  CHECK(by_verdict.again(ended(verdict::retryable, ec::http_status)));
  CHECK_FALSE(by_verdict.again(ended(verdict::failed, ec::agent_failed, "boom")));
  retry_rules by_codes;
  by_codes.codes = &codes;
  CHECK(by_codes.again(ended(verdict::failed, ec::agent_failed, "boom")));
  CHECK(by_codes.again(ended(verdict::retryable, ec::timeout)));
  CHECK_FALSE(by_codes.again(ended(verdict::retryable, ec::http_status)));
  CHECK(by_codes.again(ended(verdict::retryable, ec::node_stopped))); // not the service's fault
}

TEST_CASE("the bound of the wait doubles up to its own bound") {
  retry_rules rules;
  rules.backoff = millis{100};
  rules.max_backoff = millis{350};
  CHECK(rules.backoff_bound(1) == millis{100});
  CHECK(rules.backoff_bound(2) == millis{200});
  CHECK(rules.backoff_bound(3) == millis{350});
  CHECK(rules.backoff_bound(1'000'000) == millis{350});
}

TEST_CASE("a role's retries past its budget are put off, one after the other") {
  retry_budget budget{{0.2, 2}}; // two a second; twenty can be saved up
  retry_budget::time_point now{};
  for (int i = 0; i < 20; ++i)
    CHECK(budget.reserve(now) == now);
  CHECK(budget.reserve(now) == now + millis{500});
  CHECK(budget.reserve(now) == now + millis{1'000});
  now += millis{1'000};
  CHECK(budget.reserve(now) == now + millis{500});
  for (int i = 0; i < 10; ++i)
    budget.first_attempt(now); // two more
  CHECK(budget.reserve(now) == now);
}
