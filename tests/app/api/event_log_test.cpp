#include "app/api/event_log.hpp"
#include "app/api/event_readers.hpp"

#include <catch2/catch.hpp>

using namespace rolecall;
using namespace rolecall::api;

namespace {

task_event event(const std::string& id, task_state state, const std::string& role = "r") {
  task_event result;
  result.number = 1;
  result.task.id = task_id{id};
  result.task.role = role_name{role};
  result.task.state = state;
  return result;
}

/// The ids of what a reader is given that has seen the event `id`.
std::string ids(const event_log& log, std::uint64_t id) {
  std::string result;
  auto text = log.since(id, {}, 1'000'000).text;
  for (auto at = text.find("id: "); at != std::string::npos; at = text.find("id: ", at + 1))
    result += text.substr(at + 4, text.find('\n', at) - at - 4) + " ";
  return result;
}

/// Keeps what is written, and what is said to wait.
struct stream_stub final : net::response_stream {
  bool write(std::shared_ptr<const std::string> part) override {
    text += *part;
    return open;
  }
  void finish() override { finished = true; }
  std::size_t backlog() const override { return waiting; }
  void when_below(std::size_t, std::function<void()> call) override { drained = std::move(call); }

  std::string text;
  std::size_t waiting{0};
  bool open{true};
  bool finished{false};
  std::function<void()> drained;
};

} // namespace

TEST_CASE("what a reader has missed is all that came after the last event it saw") {
  event_log log{100, 10};
  for (const auto* id : {"a", "b", "c"})
    log.add(event(id, task_state::submitted));
  CHECK(log.last_id() == 102);
  CHECK(ids(log, 100) == "101 102 ");
  CHECK(ids(log, 102).empty());
  CHECK_FALSE(log.since(99, {}, 1).gap);
  CHECK(ids(log, 99) == "100 101 102 ");
}

TEST_CASE("a reader that was away for too long is told so, and gets what is left") {
  event_log log{100, 2};
  for (const auto* id : {"a", "b", "c", "d"})
    log.add(event(id, task_state::submitted));
  auto missed = log.since(100, {}, 1);
  CHECK(missed.gap);
  CHECK(missed.oldest == 102);
  CHECK(ids(log, 100) == "102 103 ");
  CHECK_FALSE(log.since(101, {}, 1).gap);
  CHECK(log.since(7, {}, 1).gap);     // from before a restart
  CHECK(log.since(1'000, {}, 1).gap); // from nowhere
}

TEST_CASE("filters let pass what they say") {
  event_log log{1, 10};
  auto working = event("t", task_state::working, "x");
  working.task.labels = {{"tenant", "a"}};
  const auto task = log.add(working);
  agent_event come;
  come.agent.role = role_name{"x"};
  const auto agent = log.add(come, "node");
  auto passing = [&](const event_filter& filter) {
    return std::string{passes(filter, task) ? "task " : ""} +
           (passes(filter, agent) ? "agent" : "");
  };
  CHECK(passing({}) == "task agent");
  CHECK(passing({{"task"}, {}, {}}) == "task ");
  CHECK(passing({{"agent"}, {}, {}}) == "agent");
  CHECK(passing({{}, task_id{"t"}, {}}) == "task ");
  CHECK(passing({{}, task_id{"u"}, {}}).empty());
  event_filter role;
  role.tasks.role = role_name{"x"};
  CHECK(passing(role) == "task agent");
  role.tasks.role = role_name{"y"};
  CHECK(passing(role).empty());
  event_filter state;
  state.tasks.states = bit_of(task_state::working) | bit_of(task_state::failed);
  CHECK(passing(state) == "task ");
  event_filter label;
  label.tasks.labels = {{"tenant", "b"}};
  CHECK(passing(label).empty());
}

TEST_CASE("an event is one line of data, without the task's output") {
  event_log log{5, 10};
  auto done = event("a\nb", task_state::completed);
  done.task.output = json_text{"\"secret\""};
  const auto& entry = log.add(done);
  CHECK(entry.text->starts_with("id: 5\nevent: task\ndata: {"));
  CHECK(entry.text->ends_with("}\n\n"));
  CHECK(entry.text->find("secret") == std::string::npos);
  CHECK(std::count(entry.text->begin(), entry.text->end(), '\n') == 4);
}

TEST_CASE("a reader that does not read is cut off, and the others are not") {
  event_readers readers{100, {}};
  auto slow = std::make_shared<stream_stub>();
  auto quick = std::make_shared<stream_stub>();
  slow->waiting = 100;
  readers.add(1, slow, {}, false);
  readers.add(2, quick, {}, false);
  event_log log{1, 10};
  event_entry entry = log.add(event("t", task_state::submitted));
  entry.text = std::make_shared<const std::string>("x");
  readers.tell(entry);
  CHECK(slow->text.empty());
  CHECK_FALSE(slow->finished);
  CHECK(quick->text == "x");
  CHECK(readers.count() == 1);
  CHECK(readers.cut_off() == 1);
  quick->open = false; // gone
  readers.keep_alive();
  CHECK(readers.count() == 0);
  CHECK(readers.cut_off() == 1);
}

TEST_CASE("the stream of one task ends with its terminal event") {
  event_readers readers{1'000'000, {}};
  auto stream = std::make_shared<stream_stub>();
  event_filter filter;
  filter.task = task_id{"t"};
  readers.add(1, stream, filter, true);
  event_log log{1, 10};
  readers.tell(log.add(event("u", task_state::completed)));
  readers.tell(log.add(event("t", task_state::working)));
  CHECK_FALSE(stream->finished);
  readers.tell(log.add(event("t", task_state::failed)));
  CHECK(stream->finished);
  CHECK(readers.count() == 0);
}

TEST_CASE("who has missed much is fed in parts as it reads, and then joins the others") {
  event_log log{1, 100'000};
  auto large = event("t", task_state::working);
  large.task.labels = {{"text", std::string(1'000, 'x')}};
  for (int i = 0; i < 1'000; ++i)
    log.add(large);
  std::vector<std::uint64_t> asked;
  event_readers readers{400'000, [&](std::uint64_t id) { asked.push_back(id); }};
  auto stream = std::make_shared<stream_stub>();
  readers.add(7, stream, {}, false);
  readers.catch_up(7, 0, log);
  readers.tell(log.add(large)); // it is not its turn yet, and nothing is told twice
  for (int parts = 0; stream->drained && parts < 100; ++parts) {
    std::exchange(stream->drained, nullptr)();
    readers.feed(7, log);
  }
  CHECK(asked.size() >= 4);
  readers.tell(log.add(large));
  auto& text = stream->text;
  std::size_t expected = 1;
  for (auto at = text.find("id: "); at != std::string::npos; at = text.find("id: ", at + 1)) {
    auto id = text.substr(at + 4, text.find('\n', at) - at - 4);
    REQUIRE(id == std::to_string(expected++));
  }
  CHECK(expected == 1'003);
  CHECK(readers.cut_off() == 0);
}
