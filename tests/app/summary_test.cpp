#include "app/run/result_files.hpp"
#include "app/run/summary.hpp"
#include "app/run/view.hpp"

#include <catch2/catch.hpp>

using namespace rolecall;

namespace {

task_record record(const std::string& id, task_state state, std::uint32_t attempts, millis run) {
  task_record task;
  task.id = task_id{id};
  task.role = role_name{"r"};
  task.state = state;
  task.attempts = attempts;
  task.run = run;
  task.output = json_text{"{\"summary\":\"all\\nwell\"}"};
  task.error = {ec::timeout, "too late"};
  return task;
}

} // namespace

TEST_CASE("a summary counts what the records say") {
  auto summary = summarize({record("a", task_state::completed, 3, millis{100}),
                            record("b", task_state::completed, 1, millis{300}),
                            record("c", task_state::failed, 2, millis{0}),
                            record("d", task_state::rejected, 0, millis{0}),
                            record("e", task_state::canceled, 1, millis{0})},
                           millis{200}, 4);
  CHECK(summary.submitted == 5);
  CHECK(summary.completed == 2);
  CHECK(summary.failed == 2);
  CHECK(summary.canceled == 1);
  CHECK(summary.retries == 3);
  CHECK(summary.success_rate() == Approx(0.4));
  CHECK(summary.speedup() == Approx(2.0));
}

TEST_CASE("the gist of a task is one line that cannot steer the terminal") {
  CHECK(gist(record("a", task_state::completed, 1, millis{1}), 80) == "all well");
  auto evil = record("a", task_state::completed, 1, millis{1});
  evil.output = json_text{R"("\u001b[2Jgone")"};
  CHECK(gist(evil, 80) == " [2Jgone");
  evil.output = json_text{R"("äöü€")"};
  CHECK(gist(evil, 3) == "äöü...");
  CHECK(gist(record("a", task_state::failed, 1, millis{1}), 80) == "timeout: too late");
}

TEST_CASE("a result's file name is safe, whatever the id is") {
  CHECK(result_file_name(task_id{"review-1"}) == "review-1.json");
  CHECK(result_file_name(task_id{"../../etc/passwd"}) == "%2E.%2F..%2Fetc%2Fpasswd.json");
  CHECK(result_file_name(task_id{".."}) == "%2E..json");
  auto a = result_file_name(task_id{std::string(256, 'a') + "b"});
  auto b = result_file_name(task_id{std::string(256, 'a') + "c"});
  CHECK(a.size() < 255);
  CHECK(a != b);
}

TEST_CASE("the live picture has a line a task and a bar, and fits the terminal") {
  std::vector<live_task> tasks;
  auto now = std::chrono::steady_clock::time_point{};
  tasks.reserve(30);
  for (int i = 0; i < 30; ++i)
    tasks.push_back({record("task-" + std::to_string(i),
                            i == 29 ? task_state::working : task_state::completed, 1, millis{5}),
                     now});
  auto all = draw(tasks, millis{1'500}, now, 80, 40);
  CHECK(all.size() == 32);
  CHECK(all.back().find("29/30  1.50s") != std::string::npos);
  auto few = draw(tasks, millis{1'500}, now, 40, 10);
  CHECK(few.size() == 10);
  CHECK(few.front().find("state") != std::string::npos);
  CHECK(few.at(1).find("task-29") != std::string::npos); // what runs is seen
  for (auto line : few) {
    for (std::size_t at = 0; (at = line.find('\x1b')) != std::string::npos;)
      line.erase(at, line.find('m', at) - at + 1); // what steers takes no room
    std::size_t characters = 0;
    for (unsigned char c : line)
      characters += (c & 0xc0) != 0x80 ? 1 : 0;
    CHECK(characters <= 40);
  }
}
