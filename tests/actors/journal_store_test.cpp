// The journal on a real file, and on a disk that fails on command.
#include "actors/journal/journal_actor.hpp"
#include "tests/support/actor_fixture.hpp"
#include "tests/support/failing_disk.hpp"

#include <catch2/catch.hpp>

#include <fstream>

#include <sys/stat.h>
#include <unistd.h>

using namespace rolecall;
using namespace rolecall::tests;

namespace {

using access = journal_store::access;

struct folder {
  folder() {
    std::string name = std::filesystem::temp_directory_path() / "rolecall-journal-XXXXXX";
    REQUIRE(::mkdtemp(name.data()));
    path = name;
  }
  ~folder() { std::filesystem::remove_all(path); }
  folder(const folder&) = delete;
  folder& operator=(const folder&) = delete;

  std::filesystem::path path;
};

struct store_fixture {
  std::string problem(access how = access::write) {
    auto opened = journal_store::open(file, how);
    auto* wrong = std::get_if<journal_store::problem>(&opened);
    return wrong ? wrong->message : "";
  }
  std::unique_ptr<journal_store> open(access how = access::write, const std::string& vfs = {}) {
    auto opened = journal_store::open(file, how, vfs);
    if (auto* wrong = std::get_if<journal_store::problem>(&opened))
      FAIL(wrong->message);
    return std::move(std::get<0>(opened));
  }
  void write(const std::string& text) { std::ofstream{file, std::ios::binary} << text; }

  folder here;
  std::filesystem::path file = here.path / "tasks.db";
};

journal_entry entry(std::uint64_t number) {
  journal_entry x;
  x.spec.edit().id = x.record.edit().id = task_id{"t" + std::to_string(number)};
  x.spec.edit().role = x.record.edit().role = role_name{"r"};
  x.spec.edit().input = json_text{R"({"a":"ü"})"};
  x.spec.edit().skills = {"cpp"};
  x.spec.edit().priority = x.record.edit().priority = 7;
  x.spec.edit().timeout = millis{5};
  x.spec.edit().max_attempts = 2;
  x.spec.edit().context_id = x.record.edit().context_id = "c";
  x.spec.edit().labels = x.record.edit().labels = {{"tenant", "x"}};
  x.spec.edit().retry_of = x.record.edit().retry_of = task_id{"old"};
  x.spec.edit().deadline = millis{9};
  x.spec.edit().retry = {millis{0}, millis{8}, {"boom"}};
  x.spec.edit().depends_on = {task_id{"u"}};
  x.spec.edit().on_dependency_failure = dependency_policy::run;
  x.spec.edit().idempotent = true;
  x.record.edit().number = number;
  x.record.edit().submitted_at = unix_time{100};
  x.record.edit().deadline_at = unix_time{109};
  x.record.edit().traceparent = "00-1-2-01";
  x.record.edit().parent_span = "3";
  x.accepted_event = x.event = 40;
  return x;
}

journal_entry progress(std::uint64_t number) {
  auto x = entry(number);
  x.record.edit().state = task_state::failed;
  x.record.edit().attempts = 2;
  x.record.edit().agent = {service_name{"s"}, agent_id{"a"}};
  x.record.edit().queued = millis{1};
  x.record.edit().run = millis{2};
  x.record.edit().error = {ec::agent_failed, "why"};
  x.record.edit().started_at = unix_time{103};
  x.record.edit().finished_at = unix_time{105};
  x.record.edit().retried_as = task_id{"new"};
  x.record.edit().output = json_text{"[1]"};
  attempt_record attempt;
  attempt.attempt = 4;
  attempt.agent = x.record->agent;
  attempt.ended = true;
  attempt.verdict = verdict::retryable;
  attempt.error = {ec::timeout, "late"};
  attempt.receipt = receipt{"n", "http://x", 200, micros{5}, 6, 7, "aa", "bb"};
  attempt.started_event = 41;
  attempt.ended_event = 42;
  attempt.hedge = true;
  x.history = {attempt};
  x.attempt = 4;
  x.misses = 1;
  x.event = 43;
  return x;
}

journal_append accepting(std::uint64_t ticket, std::vector<journal_entry> entries) {
  return {ticket, true, std::move(entries), {}, 0};
}
journal_append telling(std::uint64_t ticket, std::vector<journal_entry> entries) {
  return {ticket, false, std::move(entries), {}, 0};
}

std::vector<journal_entry> entries_of(journal_store& store) {
  auto all = store.read_all();
  REQUIRE(std::holds_alternative<journal_content>(all));
  return std::get<journal_content>(std::move(all)).entries;
}

/// The journal on a disk of its own, the test being its listener.
struct journal_fixture : actor_fixture, store_fixture {
  journal_fixture() {
    journal =
        keep(system.spawn(rolecall::journal, std::shared_ptr{open(access::write, disk.name)}));
    self->send(journal, atom::subscribe_v, me<journal_listener_actor>());
    run();
  }

  failing_disk disk;
  journal_actor journal;
};

} // namespace

TEST_CASE_METHOD(store_fixture, "what is written is read again, after the process is gone too") {
  CHECK_FALSE(open()->commit({accepting(1, {entry(1), entry(2)}), telling(2, {progress(2)})}));
  auto read = entries_of(*open());
  REQUIRE(read.size() == 2);
  CHECK(read[0] == entry(1));
  CHECK(read[1] == progress(2));
}

TEST_CASE_METHOD(store_fixture, "of several words on a task in one transaction the last counts") {
  auto store = open();
  auto second = progress(1);
  second.record.edit().state = task_state::completed;
  CHECK_FALSE(
      store->commit({accepting(1, {entry(1)}), telling(2, {progress(1)}), telling(3, {second})}));
  CHECK(entries_of(*store).at(0).record->state == task_state::completed);
}

TEST_CASE_METHOD(store_fixture, "what is forgotten is gone, and it is known up to where") {
  auto store = open();
  CHECK_FALSE(store->commit({accepting(1, {entry(1), entry(2)})}));
  journal_append forget;
  forget.forgotten = {1};
  forget.forgotten_event = 9'000'000'000'000'000;
  CHECK_FALSE(store->commit({forget}));
  auto content = std::get<journal_content>(store->read_all());
  REQUIRE(content.entries.size() == 1);
  CHECK(content.entries[0].spec->id == task_id{"t2"});
  CHECK(content.forgotten_event == 9'000'000'000'000'000);
}

TEST_CASE_METHOD(store_fixture, "a journal has one writer, and any number of readers") {
  auto store = open();
  CHECK_FALSE(store->commit({accepting(1, {entry(1)})}));
  CHECK(problem().find("is in use by another process") != std::string::npos);
  CHECK(entries_of(*open(access::read)).size() == 1);
  store.reset();
  CHECK(problem().empty());
}

TEST_CASE_METHOD(store_fixture, "a link to a journal is that journal") {
  auto real = here.path / "real.db";
  std::filesystem::create_symlink("real.db", file); // to nothing yet
  {
    auto store = open();
    CHECK_FALSE(store->commit({accepting(1, {entry(1)})}));
  }
  CHECK(std::filesystem::is_symlink(file));
  auto link = std::exchange(file, real);
  auto store = open();
  CHECK(entries_of(*store).size() == 1);
  file = link;
  CHECK(problem().find("is in use by another process") != std::string::npos);
  std::filesystem::create_symlink("around.db", here.path / "around.db");
  file = here.path / "around.db";
  CHECK_FALSE(problem().empty());
}

TEST_CASE_METHOD(store_fixture, "only its owner can read a journal") {
  open();
  struct stat about {};
  REQUIRE(::stat(file.c_str(), &about) == 0);
  CHECK((about.st_mode & 0777) == 0600);
}

TEST_CASE_METHOD(store_fixture, "what is no journal is refused, and left as it is") {
  CHECK(problem(access::read).find("there is no journal") != std::string::npos);
  write("");
  CHECK(problem().find("it is empty") != std::string::npos);
  write("this is no database, but a text that somebody would miss; it is long enough for a header");
  CHECK(problem().find("is damaged") != std::string::npos);
  CHECK(std::filesystem::file_size(file) == 88);
  std::filesystem::remove(file);
  std::filesystem::create_directory(file);
  CHECK(problem().find("is a directory") != std::string::npos);
}

TEST_CASE_METHOD(store_fixture, "a damaged journal is refused, with what to do") {
  std::vector<journal_entry> many;
  for (std::uint64_t i = 1; i <= 500; ++i)
    many.push_back(entry(i));
  CHECK_FALSE(open()->commit({accepting(1, many)}));
  auto size = std::filesystem::file_size(file);
  std::fstream bytes{file, std::ios::binary | std::ios::in | std::ios::out};
  bytes.seekp(static_cast<std::streamoff>(size / 2));
  bytes << std::string(8'192, 'x');
  bytes.close();
  CHECK(problem().find("is damaged") != std::string::npos);
  CHECK(problem().find(".dump") != std::string::npos);
  CHECK(std::filesystem::file_size(file) == size);
}

TEST_CASE_METHOD(store_fixture, "a journal of a newer version, or of another program, is refused") {
  open();
  auto set = [&](std::streamoff at, std::uint8_t value) { // in SQLite's header
    std::fstream bytes{file, std::ios::binary | std::ios::in | std::ios::out};
    bytes.seekp(at);
    bytes.put(static_cast<char>(value));
  };
  constexpr std::streamoff user_version = 63; // the lowest byte
  set(user_version, 99);
  CHECK(problem().find("newer rolecall") != std::string::npos);
  set(user_version, 1);
  CHECK(problem().empty());
  constexpr std::streamoff application_id = 71;
  set(application_id, 1);
  CHECK(problem().find("no journal of rolecall") != std::string::npos);
}

TEST_CASE_METHOD(journal_fixture, "what comes together is written together, and told at once") {
  self->send(journal, atom::append_v, accepting(1, {entry(1)}));
  self->send(journal, atom::append_v, accepting(2, {entry(2)}));
  self->send(journal, atom::append_v, telling(3, {progress(1)}));
  auto news = take<journal_news>();
  REQUIRE(news.size() == 1);
  CHECK(news[0] == journal_news{3, {}, {}});
}

TEST_CASE_METHOD(
    journal_fixture,
    "on a full disk acceptances are refused, and the rest is kept until there is room") {
  self->send(journal, atom::append_v, accepting(1, {entry(1)}));
  CHECK(take<journal_news>().size() == 1);
  for (auto fault : {failing_disk::fault::full, failing_disk::fault::broken}) {
    disk.fails = fault;
    self->send(journal, atom::append_v, accepting(2, {entry(2)}));
    self->send(journal, atom::append_v, telling(3, {progress(1)}));
    auto news = take<journal_news>();
    REQUIRE(news.size() == 1);
    CHECK(news[0].committed == 0);
    CHECK(news[0].refused == std::vector<std::uint64_t>{2});
    CHECK(news[0].trouble.kind == ec::storage_full);
    CHECK_FALSE(news[0].trouble.message.empty());
    disk.fails = failing_disk::fault::none;
    advance(millis{500});
    news = take<journal_news>();
    REQUIRE(news.size() == 1);
    CHECK(news[0] == journal_news{3, {}, {}});
  }
}

TEST_CASE_METHOD(journal_fixture, "after a full disk the next acceptance is tried, and goes in") {
  disk.fails = failing_disk::fault::full;
  self->send(journal, atom::append_v, accepting(1, {entry(1)}));
  CHECK(take<journal_news>().at(0).refused.size() == 1);
  self->send(journal, atom::append_v, accepting(2, {entry(1)}));
  CHECK(take<journal_news>().at(0).refused.size() == 1);
  disk.fails = failing_disk::fault::none;
  self->send(journal, atom::append_v, accepting(3, {entry(1)}));
  CHECK(take<journal_news>().at(0) == journal_news{3, {}, {}});
}

TEST_CASE_METHOD(journal_fixture, "who is refused is told why, also if the rest can be written") {
  disk.fails_once = true;
  disk.fails = failing_disk::fault::full;
  self->send(journal, atom::append_v, accepting(1, {entry(1)}));
  self->send(journal, atom::append_v, telling(2, {progress(7)}));
  auto news = take<journal_news>();
  REQUIRE(news.size() == 1);
  CHECK(news[0].refused == std::vector<std::uint64_t>{1});
  CHECK(news[0].committed == 2);
  CHECK(news[0].trouble.kind == ec::storage_full);
}
