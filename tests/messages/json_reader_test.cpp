#include "messages/json_reader.hpp"

#include <catch2/catch.hpp>

using namespace rolecall;
using namespace std::chrono_literals;

namespace {

/// The one problem of a text, as "where: what"; empty if it has none.
std::string problem_of(std::string_view text, json_limits limits = {}) {
  std::vector<problem> problems;
  auto value = parse_json(text, limits, problems);
  REQUIRE(value.has_value() == problems.empty());
  REQUIRE(problems.size() <= 1);
  return problems.empty() ? "" : problems[0].where + ": " + problems[0].what;
}

bool has(const std::vector<problem>& problems, const std::string& where, const std::string& what) {
  for (const auto& p : problems)
    if (p.where == where && p.what.find(what) != std::string::npos)
      return true;
  UNSCOPED_INFO(to_text(problems));
  return false;
}

} // namespace

TEST_CASE("what is not JSON is told with line and column") {
  CHECK(problem_of("{\n  \"a\": tru\n}").find("line 2, column") == 0);
  CHECK(problem_of("").find("empty") != std::string::npos);
  CHECK(problem_of(" \n ").find("empty") != std::string::npos);
  CHECK(problem_of("{\"a\": [1, 2").find("too early") != std::string::npos);
  CHECK(problem_of("\"abc").find("too early") != std::string::npos);
  CHECK(problem_of("[\"\xff\"]").find("not UTF-8") != std::string::npos);
  CHECK(problem_of("[1] x").find("line 1, column 5") == 0);
  CHECK(problem_of("[1e999]").find("out of range") != std::string::npos);
}

TEST_CASE("a text is refused for its depth and its size before it is built") {
  auto deep = std::string(1'000, '[') + std::string(1'000, ']');
  CHECK(problem_of(deep).find("deeper than 64") != std::string::npos);
  CHECK(problem_of(std::string(2'000'000, '[')).find("deeper than 64") != std::string::npos);
  CHECK(problem_of("[1,2,3]", {4, 8}).find("larger than 4 bytes") != std::string::npos);
  CHECK(problem_of("[[1]]", {64, 2}).empty());
}

TEST_CASE("a key that stands twice is a problem, in whatever object") {
  CHECK(problem_of(R"({"a":1,"a":2})").find("twice") != std::string::npos);
  CHECK(problem_of(R"({"a":{"b":1},"c":{"b":1}})").empty());
}

TEST_CASE("durations have a unit") {
  CHECK(parse_duration("250ms") == 250ms);
  CHECK(parse_duration("1.5s") == 1'500ms);
  CHECK(parse_duration("2m") == 2min);
  CHECK(parse_duration("1h") == 1h);
  CHECK(parse_duration("0s") == 0ms);
  for (const auto* wrong :
       {"", "5", "s", "-1s", "1 s", "1x", "1e3s", "nan", "inf s", "99999d", "1s2"})
    CHECK_FALSE(parse_duration(wrong));
  for (auto value :
       {0ms, 1ms, 999ms, 1'000ms, 1'500ms, 60'000ms, 61'000ms, 3'600'000ms, 86'399'999ms})
    CHECK(parse_duration(format_duration(value)) == value);
}

TEST_CASE("every problem of an object is told, each with its pointer") {
  auto value = nlohmann::json::parse(
      R"({"name":7,"count":1.5,"big":18446744073709551615,"wait":"5","list":[1,"a"],"nmae":1,"zzzzzzzz":2})");
  std::vector<problem> problems;
  object_reader object{value, "/x", problems};
  CHECK_FALSE(object.name("name"));
  CHECK_FALSE(object.integer("count", 0, 9));
  CHECK_FALSE(object.integer("big", 0, 9));
  CHECK_FALSE(object.duration("wait", 1ms));
  CHECK(object.strings("list")->size() == 1);
  CHECK_FALSE(object.required_name("missing"));
  object.finish();
  CHECK(problems.size() == 8);
  CHECK(has(problems, "/x/name", "must be a string"));
  CHECK(has(problems, "/x/count", "whole number from 0 to 9"));
  CHECK(has(problems, "/x/big", "whole number from 0 to 9"));
  CHECK(has(problems, "/x/wait", "with a unit"));
  CHECK(has(problems, "/x/list/0", "must be a string"));
  CHECK(has(problems, "/x/missing", "is missing"));
  CHECK(has(problems, "/x/nmae", "did you mean \"name\""));
  CHECK(has(problems, "/x/zzzzzzzz", "unknown field; known are"));
}

TEST_CASE("names have a form") {
  CHECK(name_problem("", 8));
  CHECK(name_problem("123456789", 8));
  CHECK(name_problem("a\nb", 8));
  CHECK_FALSE(name_problem("ünïcode", 16));
}

TEST_CASE("pointers escape as RFC 6901 says") {
  CHECK(pointer_child("/a", "b/c~d") == "/a/b~1c~0d");
}
