#include "actors/router/waiting_line.hpp"

#include <catch2/catch.hpp>

#include <chrono>

using namespace rolecall;

namespace {

placement_request request(std::uint64_t age, std::uint8_t priority = 0) {
  placement_request result;
  result.task = task_id{"t" + std::to_string(age)};
  result.priority = priority;
  result.age = age;
  return result;
}

} // namespace

TEST_CASE("a place in the line is that of the order, also after others have come and gone") {
  waiting_line line;
  for (std::uint64_t age : {1, 3, 2, 4})
    line.push(request(age));
  line.push(request(5, 9));
  auto place = [&](const std::string& task) { return line.find(task_id{task})->position; };
  CHECK(place("t5") == 1);
  CHECK(place("t1") == 2);
  CHECK(place("t2") == 3);
  CHECK(place("t4") == 5);
  CHECK(line.remove(task_id{"t2"}));
  CHECK(place("t4") == 4);
  CHECK_FALSE(line.find(task_id{"t2"}));
}

TEST_CASE("a place among a hundred thousand is told within a millisecond") {
  waiting_line line;
  constexpr std::uint64_t count = 100'000;
  for (std::uint64_t age = 1; age <= count; ++age)
    line.push(request(age));
  using clock = std::chrono::steady_clock;
  auto best = clock::duration::max(); // others use the machine too: the best of some
  for (int i = 0; i < 10; ++i) {
    auto start = clock::now();
    CHECK(line.find(task_id{"t" + std::to_string(count)})->position == count);
    best = std::min(best, clock::now() - start);
  }
  CHECK(best < std::chrono::milliseconds{1});
}
