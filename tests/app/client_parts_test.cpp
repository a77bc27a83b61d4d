// The pure parts of the command-line clients.
#include "app/client/event_parser.hpp"
#include "app/client/line_source.hpp"
#include "app/client/refusal.hpp"
#include "app/client/table.hpp"
#include "app/client/task_json.hpp"
#include "app/terminal.hpp"

#include <catch2/catch.hpp>

using namespace rolecall;
using namespace rolecall::client;

namespace {

const std::string events_text = "\xEF\xBB\xBF: a comment\r\n"
                                "id: 7\nevent: task\rdata: {\"a\":\r\ndata:  1}\n"
                                "unknown: x\nretry: 1500\nretry: soon\n\n"
                                "data\n\n"
                                "event: nothing\n\n"
                                "event: hello\ndata:{}\r\r"
                                "id: 8\ndata: never ended";

} // namespace

TEST_CASE("events are read wherever the pieces end") {
  auto step = GENERATE(range(std::size_t{1}, std::size_t{40}));
  event_parser parser;
  std::vector<server_event> events;
  for (std::size_t at = 0; at < events_text.size(); at += step)
    for (auto& event : parser.feed(std::string_view{events_text}.substr(at, step)))
      events.push_back(std::move(event));
  REQUIRE(events.size() == 3);
  CHECK(events[0].type == "task");
  CHECK(events[0].data == "{\"a\":\n 1}");
  CHECK(events[0].id == "7");
  CHECK(events[1].type == "message");
  CHECK(events[1].data.empty());
  CHECK(events[2].type == "hello");
  CHECK(events[2].data == "{}");
  CHECK(events[2].id == "7");
  CHECK(parser.last_id() == "7"); // the event 8 is not whole
  CHECK(parser.retry() == std::chrono::milliseconds{1'500});
  CHECK_FALSE(parser.overflown());
}

TEST_CASE("an event that grows for ever is given up") {
  auto piece = GENERATE(std::string{"xxxxxxxxxx"}, std::string{"data: x\n"});
  event_parser parser{100};
  for (int i = 0; i < 100 && !parser.overflown(); ++i)
    CHECK(parser.feed(piece).empty());
  CHECK(parser.overflown());
  CHECK(parser.feed("\n\ndata: x\n\n").empty());
}

TEST_CASE("lines are cut into pieces, and keep their numbers") {
  line_source source;
  source.feed("\xEF\xBB\xBF{\"a\":1}\r\n\n  \n{\"b\"");
  auto first = source.next();
  CHECK(first.text == "{\"a\":1}\n");
  CHECK(first.numbers == std::vector<std::size_t>{1});
  CHECK(source.next().empty());
  source.feed(":2}");
  CHECK(source.next().empty());
  source.finish();
  auto second = source.next();
  CHECK(second.text == "{\"b\":2}\n");
  CHECK(second.numbers == std::vector<std::size_t>{4});
  CHECK(source.left() == 0);
}

TEST_CASE("a piece of lines has a bound") {
  line_source source;
  for (std::size_t i = 0; i < 2'500; ++i)
    source.feed("{}\n");
  std::vector<std::size_t> sizes;
  for (auto piece = source.next(); !piece.empty(); piece = source.next())
    sizes.push_back(piece.numbers.size());
  CHECK(sizes == std::vector<std::size_t>{1'000, 1'000, 500});
}

TEST_CASE("a line that is a task by itself begins NDJSON") {
  CHECK(begins_ndjson(R"({"role":"a","input":1})"));
  CHECK(begins_ndjson("  {}"));
  CHECK_FALSE(begins_ndjson(R"({"tasks":[{"role":"a","input":1}]})"));
  CHECK_FALSE(begins_ndjson("{"));
  CHECK_FALSE(begins_ndjson("[{}]"));
  CHECK_FALSE(begins_ndjson("1"));
  CHECK_FALSE(begins_ndjson(""));
}

TEST_CASE("a table for a terminal is aligned, and cut where it is widest") {
  table data{{"task", "note"}, {{{"t1"}, {"short"}}, {{"a-long-id"}, {"a\tlong\nnote of a task"}}}};
  CHECK(aligned(data, 80) == "\x1b[2mtask     \x1b[0m  \x1b[2mnote\x1b[0m\n"
                             "t1         short\n"
                             "a-long-id  a long note of a task\n");
  CHECK(aligned(data, 20) == "\x1b[2mtask     \x1b[0m  \x1b[2mnote\x1b[0m\n"
                             "t1         short\n"
                             "a-long-id  a long n…\n");
}

TEST_CASE("a table for a pipe has tabs between its cells, and nothing is cut") {
  table data{{"task", "note"}, {{{"t1", "\x1b[31m"}, {"a\tb\nc"}}}};
  CHECK(tab_separated(data) == "task\tnote\nt1\ta b c\n");
}

TEST_CASE("what steers a terminal is blanked, and characters are counted, not bytes") {
  CHECK(printable("a\x1b[2Jb\xc2\x9b"
                  "c") == "a [2Jb c");
  CHECK(fit("äöü", 5) == "äöü  ");
  CHECK(cut("äöü", 2) == "äö");
}

TEST_CASE("a problem is its detail, its code, and a line for each of its errors") {
  auto problem = nlohmann::json::parse(R"({"type":"/errors#invalid_task","title":"No","status":400,
    "detail":"2 things are wrong","code":"invalid_task","errors":[
    {"pointer":"/0/role","detail":"is missing"},{"parameter":"limit","detail":"is \u001b[2Jno"},7]})");
  CHECK(problem_text(problem) == "2 things are wrong (invalid_task)\n"
                                 "  /0/role: is missing\n  limit: is  [2Jno");
  CHECK(problem_text(nlohmann::json::parse(R"({"title":"No"})")) == "No");
  CHECK(problem_text(nlohmann::json::parse(R"({"title":7,"errors":"x"})")).empty());
}

TEST_CASE("a task is read from what a node shows of it") {
  auto view = client::json::parse(R"({"task_id":"t","role":"r","state":"failed","attempts":2,
    "agent_id":"a","service":"s","queued_ms":5,"run_ms":7,"error":{"code":"c","message":"m"}})");
  auto task = read_task_view(view);
  REQUIRE(task);
  CHECK(task->state == task_state::failed);
  CHECK(task->attempts == 2);
  CHECK(task->agent.id.str() == "a");
  CHECK(task->run == millis{7});
  CHECK(task->error.code == "c");
  for (const auto* wrong : {"7", "{}", R"({"task_id":"t","role":"r","state":"great"})",
                            R"({"task_id":7,"role":"r","state":"failed"})"})
    CHECK_FALSE(read_task_view(client::json::parse(wrong)));
  auto odd = client::json::parse(R"({"task_id":"t","role":"r","state":"completed","attempts":-1,
    "run_ms":1e300,"agent_id":null})");
  CHECK(read_task_view(odd)->run == millis{0});
  CHECK(read_task_view(odd)->output.str() == "null");
}
