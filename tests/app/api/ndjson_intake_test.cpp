#include "app/api/ndjson_intake.hpp"

#include <nlohmann/json.hpp>

#include <catch2/catch.hpp>

using namespace rolecall;
using namespace rolecall::api;

namespace {

struct fixture {
  std::size_t made{0};
  ndjson_intake intake{{100, "trace", [this] { return "made-" + std::to_string(++made); }}};
  std::string output;

  /// Accepts everything; gives the ids.
  std::string accept_all() {
    std::string ids;
    for (auto batch = intake.batch(); !batch.empty(); batch = intake.batch()) {
      for (const auto& task : batch)
        ids += task.id.str() + " ";
      intake.accepted({});
    }
    output += intake.take_output();
    return ids;
  }
  nlohmann::json line(std::size_t number) {
    std::size_t from = 0;
    for (; number > 0; --number)
      from = output.find('\n', from) + 1;
    return nlohmann::json::parse(output.substr(from, output.find('\n', from) - from));
  }
};

std::string task(const std::string& id) {
  return R"({"task_id":")" + id + R"(","role":"r","input":1})" + "\n";
}

problem_details refusal(const std::string& code) {
  return {code, "no", {}, {}};
}

} // namespace

TEST_CASE_METHOD(fixture, "lines are tasks, whatever the pieces they come in") {
  auto text = "\xEF\xBB\xBF" + task("a") + "\n  \r\n" + task("b") + R"({"role":"r","input":2})";
  for (char c : text)
    intake.feed(std::string_view{&c, 1});
  intake.end();
  CHECK(accept_all() == "a b made-1 ");
  CHECK(line(0) == nlohmann::json{{"line", 1}, {"task_id", "a"}});
  CHECK(line(1)["line"] == 4);
  CHECK(line(2)["line"] == 5);
  CHECK(nlohmann::json::parse(intake.summary()) == nlohmann::json{{"accepted", 3}, {"refused", 0}});
}

TEST_CASE_METHOD(fixture, "a line that is wrong is answered in its place, with all its problems") {
  intake.feed(task("a") + "nonsense\n" + R"({"role":1,"inputs":2})" + "\n" + task("b"));
  CHECK(accept_all() == "a b ");
  CHECK(line(1)["line"] == 2);
  CHECK(line(1)["error"]["code"] == "invalid_body");
  CHECK(line(2)["error"]["code"] == "invalid_task");
  CHECK(line(2)["error"]["errors"].size() == 3);
  CHECK(line(3)["task_id"] == "b");
}

TEST_CASE_METHOD(fixture,
                 "a line that is too long is refused without being kept, and the next is read") {
  for (int i = 0; i < 1'000; ++i)
    intake.feed(std::string(1'000, 'x'));
  intake.feed("\n" + task("a") + std::string(101, 'y') + "\n" + task("b"));
  CHECK(accept_all() == "a b ");
  CHECK(line(0)["error"]["code"] == "too_large");
  CHECK(line(1)["task_id"] == "a");
  CHECK(line(2)["line"] == 3);
}

TEST_CASE_METHOD(fixture,
                 "one task that is refused does not take the others of its batch with it") {
  intake.feed(task("a") + task("twice") + task("b") + task("c"));
  std::string accepted;
  for (auto batch = intake.batch(); !batch.empty(); batch = intake.batch()) {
    auto bad = std::any_of(batch.begin(), batch.end(),
                           [](const auto& t) { return t.id.str() == "twice"; });
    if (bad) {
      CHECK(intake.refused(refusal("duplicate_task")));
      continue;
    }
    for (const auto& t : batch)
      accepted += t.id.str();
    intake.accepted({});
  }
  output = intake.take_output();
  CHECK(accepted == "abc");
  CHECK(line(1)["error"]["code"] == "duplicate_task");
  CHECK(line(3)["task_id"] == "c");
}

TEST_CASE_METHOD(fixture, "a task that was known already is accepted, and its line says so") {
  intake.feed(task("a") + task("b"));
  REQUIRE(intake.batch().size() == 2);
  intake.accepted({task_id{"a"}});
  output = intake.take_output();
  CHECK(line(0)["known"] == true);
  CHECK_FALSE(line(1).contains("known"));
}

TEST_CASE_METHOD(fixture, "when there is no room, the task is kept and tried again") {
  intake.feed(task("a") + task("b"));
  REQUIRE(intake.batch().size() == 2);
  CHECK(intake.refused(refusal("queue_full"))); // both do not fit: one may
  REQUIRE(intake.batch().size() == 1);
  CHECK_FALSE(intake.refused(refusal("queue_full"))); // now somebody has to wait
  CHECK(accept_all() == "a b ");
  CHECK(line(0)["task_id"] == "a");
}
