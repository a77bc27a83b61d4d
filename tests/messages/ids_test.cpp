// Names of things: what makes two of them the same, and their order.
#include "messages/ids.hpp"

#include <catch2/catch.hpp>

#include <set>
#include <unordered_set>

using namespace rolecall;

TEST_CASE("ids are the same if their texts are, however they were made") {
  task_id one{"a task with more text than a string holds by itself"};
  auto copy = one;
  task_id other{std::string{one.str()}};
  CHECK(one == copy);
  CHECK(one == other);
  CHECK(std::hash<task_id>{}(one) == std::hash<task_id>{}(other));
  CHECK(one != task_id{"another"});
  CHECK(std::unordered_set<task_id>{one, copy, other}.size() == 1);
  CHECK(std::unordered_set<attempt_key>{{one, 1}, {other, 1}, {one, 2}}.size() == 2);
}

TEST_CASE("ids are in the order of their texts") {
  CHECK(role_name{"a"} < role_name{"b"});
  CHECK(role_name{} < role_name{"a"});
  std::set<agent_key> keys{{service_name{"b"}, agent_id{"1"}}, {service_name{"a"}, agent_id{"2"}}};
  CHECK(keys.begin()->service == service_name{"a"});
}

TEST_CASE("an id that nobody gave is the empty one") {
  CHECK(task_id{}.empty());
  CHECK(task_id{""} == task_id{});
  CHECK(task_id{}.str().empty());
  CHECK(std::hash<task_id>{}(task_id{""}) == std::hash<task_id>{}(task_id{}));
}

TEST_CASE("an id outlives the one that it is a copy of") {
  task_id copy;
  {
    task_id first{"first"};
    copy = first;
    first = task_id{"second"};
    CHECK(copy == task_id{"first"});
  }
  auto moved = std::move(copy);
  CHECK(moved.str() == "first");
}
