#include "app/api/event_log.hpp"
#include "app/api/event_readers.hpp"
#include "app/api/views.hpp"

#include <catch2/catch.hpp>

using namespace rolecall;
using namespace rolecall::api;

namespace {

task_event event(const std::string& id, task_state state, std::uint64_t number = 1,
                 const std::string& role = "r") {
  task_event result;
  result.number = number;
  result.task.edit().id = task_id{id};
  result.task.edit().role = role_name{role};
  result.task.edit().state = state;
  return result;
}

/// The id of the event about a task with this number.
std::uint64_t id_of(std::uint64_t number) {
  return number * 4'096;
}

/// A log of the events 100, 101, ... that keeps `most`, in which nothing is missing before.
event_log log_of(std::size_t count, std::size_t most) {
  event_log log{100, 99, most};
  for (std::size_t i = 0; i < count; ++i)
    log.add(event("t" + std::to_string(i), task_state::submitted, 100 + i));
  return log;
}

agent_event agent_up() {
  agent_event result;
  result.agent.role = role_name{"x"};
  return result;
}

/// The numbers of what a reader is given that has seen the event `id`, those of agents with a plus.
std::string ids(const event_log& log, std::uint64_t id) {
  std::string result;
  auto text = log.since(id, {}, 1'000'000).text;
  for (auto at = text.find("id: "); at != std::string::npos; at = text.find("id: ", at + 1)) {
    auto found = std::stoull(text.substr(at + 4));
    result += std::to_string(found / 4'096);
    result += found % 4'096 == 0 ? " " : "+" + std::to_string(found % 4'096) + " ";
  }
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

TEST_CASE("a time is written as it is, and one that no calendar has does no harm") {
  CHECK(time_text(unix_time{1'700'000'000'123}) == "2023-11-14T22:13:20.123Z");
  CHECK(time_text(unix_time{0}).is_null());
  for (std::int64_t at : {-100'000'000'000'000L, 315'360'000'000'000L, -1L})
    CHECK(time_text(unix_time{at}).get<std::string>().size() == 24);
}

TEST_CASE("what a reader has missed is all that came after the last event it saw") {
  auto log = log_of(3, 10);
  CHECK(log.last_id() == id_of(102));
  CHECK(ids(log, id_of(100)) == "101 102 ");
  CHECK(ids(log, id_of(102)).empty());
  CHECK_FALSE(log.since(id_of(99), {}, 1).gap);
  CHECK(ids(log, id_of(99)) == "100 101 102 ");
}

TEST_CASE("a reader that was away for too long is told so, and gets what is left") {
  auto log = log_of(4, 2);
  auto missed = log.since(id_of(100), {}, 1);
  CHECK(missed.gap);
  CHECK(missed.oldest == id_of(102));
  CHECK(ids(log, id_of(100)) == "102 103 ");
  CHECK_FALSE(log.since(id_of(101), {}, 1).gap);
  CHECK(log.since(id_of(7), {}, 1).gap);     // from before a restart without a journal
  CHECK(log.since(id_of(1'000), {}, 1).gap); // from nowhere
}

TEST_CASE("events about agents have ids between those about tasks") {
  auto log = log_of(1, 10);
  log.add(agent_up());
  log.add(agent_up());
  log.add(event("u", task_state::submitted, 105));
  CHECK(ids(log, id_of(99)) == "100 100+1 100+2 105 ");
  CHECK(ids(log, id_of(100) + 1) == "100+2 105 ");
}

TEST_CASE("past so many events about agents there are no ids, and ids still grow") {
  auto log = log_of(1, 10'000);
  for (int i = 0; i < 4'095; ++i)
    log.add(agent_up());
  CHECK(log.add(agent_up()).id == 0);
  CHECK(log.last_id() == id_of(101) - 1);
  log.add(event("u", task_state::submitted, 101));
  CHECK(ids(log, id_of(100) + 4'095) == "101 ");
}

TEST_CASE("after a restart with a journal a reader goes on where it was") {
  event_log log{500, 30, 100}; // tasks whose events went up to 30 are forgotten
  log.add(agent_up());         // comes early: what is replayed goes before it
  for (std::uint64_t number : {40u, 41u, 42u}) {
    auto past = event("t", task_state::working, number);
    past.replayed = true;
    log.add(past);
  }
  log.add(event("u", task_state::submitted, 500));
  CHECK(ids(log, id_of(41)) == "42 499+1 500 ");
  CHECK_FALSE(log.since(id_of(30), {}, 1).gap);
  CHECK(log.since(id_of(29), {}, 1).gap);
}

TEST_CASE("filters let pass what they say") {
  auto log = log_of(0, 10);
  auto working = event("t", task_state::working, 100, "x");
  working.task.edit().labels = {{"tenant", "a"}};
  const auto task = log.add(working);
  const auto agent = log.add(agent_up());
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
  auto log = log_of(0, 10);
  auto done = event("a\nb", task_state::completed, 100);
  done.task.edit().output = json_text{"\"secret\""};
  auto text = *to_text(log.add(done));
  CHECK(text.starts_with("id: 409600\nevent: task\ndata: {"));
  CHECK(text.ends_with("}\n\n"));
  CHECK(text.find("secret") == std::string::npos);
  CHECK(std::count(text.begin(), text.end(), '\n') == 4);
}

TEST_CASE("a reader that does not read is cut off, and the others are not") {
  event_readers readers{10'000, {}};
  auto slow = std::make_shared<stream_stub>();
  auto quick = std::make_shared<stream_stub>();
  slow->waiting = 10'000;
  readers.add(1, slow, {}, false);
  readers.add(2, quick, {}, false);
  auto log = log_of(0, 10);
  const auto& entry = log.add(event("t", task_state::submitted, 100));
  readers.tell(entry);
  CHECK(slow->text.empty());
  CHECK_FALSE(slow->finished);
  CHECK(quick->text == *to_text(entry));
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
  auto log = log_of(0, 10);
  readers.tell(log.add(event("u", task_state::completed, 100)));
  readers.tell(log.add(event("t", task_state::working, 101)));
  CHECK_FALSE(stream->finished);
  readers.tell(log.add(event("t", task_state::failed, 102)));
  CHECK(stream->finished);
  CHECK(readers.count() == 0);
}

TEST_CASE("who has missed much is fed in parts as it reads, and then joins the others") {
  auto log = log_of(0, 100'000);
  auto large = event("t", task_state::working, 99);
  large.task.edit().labels = {{"text", std::string(1'000, 'x')}};
  auto next = [&]() -> const event_entry& {
    ++large.number;
    return log.add(large);
  };
  for (int i = 0; i < 1'000; ++i)
    next();
  std::vector<std::uint64_t> asked;
  event_readers readers{400'000, [&](std::uint64_t id) { asked.push_back(id); }};
  auto stream = std::make_shared<stream_stub>();
  readers.add(7, stream, {}, false);
  readers.catch_up(7, id_of(99), log);
  readers.tell(next()); // it is not its turn yet, and nothing is told twice
  for (int parts = 0; stream->drained && parts < 100; ++parts) {
    std::exchange(stream->drained, nullptr)();
    readers.feed(7, log);
  }
  CHECK(asked.size() >= 4);
  readers.tell(next());
  auto& text = stream->text;
  std::uint64_t expected = 100;
  for (auto at = text.find("id: "); at != std::string::npos; at = text.find("id: ", at + 1)) {
    auto id = text.substr(at + 4, text.find('\n', at) - at - 4);
    REQUIRE(id == std::to_string(id_of(expected++)));
  }
  CHECK(expected == 1'102);
  CHECK(readers.cut_off() == 0);
}
