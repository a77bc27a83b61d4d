// JSON that is written without a tree of it.
#include "messages/json_writer.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

using namespace rolecall;

TEST_CASE("members come in the order in which they are added") {
  std::string text = "so far ";
  object_writer out{text};
  out.add("text", "a");
  out.add("number", -7);
  out.add("large", 18'446'744'073'709'551'615ull);
  out.add("yes", true);
  out.add_or_null("none", "");
  out.add_or_null("some", "b");
  out.add_json("as it is", R"({"x":[1]})");
  array_writer list{out.add_key("list")};
  append_json(list.add(), "c");
  object_writer{list.add()}.end();
  list.end();
  out.end();
  CHECK(text == R"(so far {"text":"a","number":-7,"large":18446744073709551615,"yes":true,)"
                R"("none":null,"some":"b","as it is":{"x":[1]},"list":["c",{}]})");
}

TEST_CASE("what has no members is an empty object") {
  std::string text;
  object_writer{text}.end();
  array_writer{text}.end();
  CHECK(text == "{}[]");
}

TEST_CASE("any text comes back as it was, in names too") {
  for (const std::string value : {"", "plain", "\"", "\\", "a\nb\tc", "\x01", "\x7f", "größer",
                                  "日本", "</script>", "ends with \\"}) {
    std::string text;
    object_writer out{text};
    append_json(out.add_name(value), value);
    out.end();
    CAPTURE(text);
    CHECK(nlohmann::json::parse(text) == nlohmann::json{{value, value}});
  }
}

TEST_CASE("bytes that are not UTF-8 are replaced") {
  std::string text;
  append_json(text, "a\xff"
                    "b");
  CHECK(nlohmann::json::parse(text) == "a\xEF\xBF\xBD"
                                       "b");
}
