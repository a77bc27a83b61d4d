// The cores of a cluster: mirrored agents, attempts that cross links, shares of demand, merged
// lists.
#include "actors/cluster/agent_mirror.hpp"
#include "actors/cluster/cluster_tasks_actor.hpp"
#include "actors/cluster/shared_attempts.hpp"
#include "actors/router/demand_shares.hpp"

#include <catch2/catch.hpp>

#include <numeric>

using namespace rolecall;
using namespace std::chrono_literals;

namespace {

const node_name a{"a"};
const node_name b{"b"};
const node_name c{"c"};

agent_key key(const std::string& id, const node_name& node) {
  return {service_name{"local"}, agent_id{id}, node};
}

agent_record record(const std::string& id, const node_name& node) {
  agent_record result;
  result.key = key(id, node);
  result.role = role_name{"r"};
  return result;
}

agent_event event(std::uint64_t sequence, agent_change change, const agent_record& agent) {
  return {sequence, change, agent};
}

attempt_request request(const std::string& task, const node_name& node) {
  attempt_request result;
  result.task = task_id{task};
  result.attempt = 1;
  result.agent = key("x", node);
  result.timeout = 1s;
  return result;
}

} // namespace

// -- agents
// --------------------------------------------------------------------------------------------

TEST_CASE("peers are told of this node's own agents only, without gaps") {
  agent_mirror mirror{a};
  mirror.on_snapshot({7, {record("1", a), record("2", b)}});
  auto snapshot = mirror.own();
  CHECK(snapshot.agents == std::vector{record("1", a)});
  CHECK_FALSE(mirror.on_event(event(8, agent_change::up, record("3", b))));
  auto news = mirror.on_event(event(9, agent_change::up, record("4", a)));
  REQUIRE(news);
  CHECK(news->sequence == snapshot.sequence + 1);
  CHECK(mirror.own().agents.size() == 2);
  CHECK(mirror.find(key("4", a)));
  CHECK_FALSE(mirror.find(key("3", b)));
}

TEST_CASE("a peer's events follow its snapshot; one that is missing asks for a new snapshot") {
  agent_mirror mirror{a};
  CHECK(mirror.on_peer_event(b, event(3, agent_change::up, record("0", b))).put.empty());
  CHECK(mirror.on_peer_snapshot(b, {5, {record("1", b), record("2", b)}}).put.size() == 2);
  CHECK(mirror.on_peer_event(b, event(6, agent_change::up, record("3", b))).put.size() == 1);
  SECTION("a duplicate changes nothing") {
    auto again = mirror.on_peer_event(b, event(6, agent_change::down, record("3", b)));
    CHECK(again.put.empty());
    CHECK(again.remove.empty());
    CHECK_FALSE(again.gap);
  }
  SECTION("after a gap nothing counts but the snapshot") {
    CHECK(mirror.on_peer_event(b, event(8, agent_change::up, record("5", b))).gap);
    auto later = mirror.on_peer_event(b, event(9, agent_change::up, record("6", b)));
    CHECK(later.put.empty());
    CHECK_FALSE(later.gap); // it has been asked for
    auto fresh = mirror.on_peer_snapshot(b, {9, {record("1", b), record("6", b)}});
    CHECK(fresh.put.size() == 2);
    CHECK(fresh.remove == std::vector{key("2", b), key("3", b)});
    CHECK(mirror.on_peer_event(b, event(10, agent_change::down, record("6", b))).remove ==
          std::vector{key("6", b)});
  }
  SECTION("its agents go with it, and a later life of it begins anew") {
    CHECK(mirror.on_peer_gone(b).remove.size() == 3);
    CHECK(mirror.agents_of(b) == 0);
    CHECK(mirror.on_peer_event(b, event(7, agent_change::up, record("4", b))).put.empty());
    CHECK(mirror.on_peer_snapshot(b, {1, {record("1", b)}}).put.size() == 1);
  }
}

TEST_CASE("nobody writes the records of others") {
  agent_mirror mirror{a};
  auto changes = mirror.on_peer_snapshot(b, {1, {record("1", a), record("2", c), record("3", b)}});
  CHECK(changes.put == std::vector{record("3", b)});
  CHECK(mirror.on_peer_event(b, event(2, agent_change::up, record("4", c))).put.empty());
  auto down = mirror.on_peer_event(b, event(3, agent_change::down, record("1", a)));
  CHECK(down.remove.empty());
  CHECK(mirror.agents_of(b) == 1);
}

TEST_CASE("a node that is about to go tells that it has no agents, and nothing after that") {
  agent_mirror mirror{a};
  mirror.on_snapshot({1, {record("1", a)}});
  auto before = mirror.sequence();
  auto last = mirror.withdraw();
  CHECK(last.agents.empty());
  CHECK(last.sequence > before);
  CHECK_FALSE(mirror.on_event(event(2, agent_change::up, record("2", a))));
  CHECK(mirror.own().agents.empty());
  CHECK(mirror.find(key("1", a))); // what runs there goes on
}

TEST_CASE("how far a mirror is behind is told in events") {
  agent_mirror mirror{a};
  CHECK(mirror.lag(b, 4) == 4);
  mirror.on_peer_snapshot(b, {3, {}});
  CHECK(mirror.lag(b, 4) == 1);
  CHECK(mirror.lag(b, 2) == 0);
}

// -- attempts
// ------------------------------------------------------------------------------------------

TEST_CASE("an attempt elsewhere ends once: with its outcome or with the link") {
  shared_attempts attempts;
  shared_attempts::time_point now{1h};
  attempts.sent(request("t", b), now);
  attempts.sent(request("u", b), now);
  attempts.sent(request("v", c), now);
  CHECK(attempts.where({task_id{"t"}, 1}) == b);
  CHECK_FALSE(attempts.where({task_id{"t"}, 2}));
  CHECK_FALSE(attempts.ended({task_id{"t"}, 1}, c)); // whose it is not
  CHECK(attempts.ended({task_id{"t"}, 1}, b));
  CHECK_FALSE(attempts.ended({task_id{"t"}, 1}, b));
  auto lost = attempts.lose(b, "it hung up");
  REQUIRE(lost.size() == 1);
  CHECK(lost[0].task == task_id{"u"});
  CHECK(lost[0].verdict == verdict::retryable);
  CHECK(lost[0].error.kind == ec::node_stopped);
  CHECK(lost[0].error.message.find("\"b\"") != std::string::npos);
  CHECK_FALSE(attempts.ended({task_id{"u"}, 1}, b)); // too late
  CHECK(attempts.running_on(b) == 0);
  CHECK(attempts.running_on(c) == 1);
}

TEST_CASE("an outcome that never comes is not waited for much longer than the attempt may take") {
  shared_attempts attempts;
  shared_attempts::time_point now{1h};
  attempts.sent(request("t", b), now);
  CHECK(attempts.lose_overdue(now + 1s + shared_attempts::grace).empty());
  auto lost = attempts.lose_overdue(now + 1s + shared_attempts::grace + 1ms);
  REQUIRE(lost.size() == 1);
  CHECK(lost[0].error.kind == ec::node_stopped);
  CHECK(attempts.lose_overdue(now + 1h).empty());
}

TEST_CASE("what runs for a peer is abandoned with it, and its outcome goes nowhere") {
  shared_attempts attempts;
  CHECK(attempts.serve(b, {task_id{"t"}, 1}, key("x", a)));
  CHECK_FALSE(attempts.serve(c, {task_id{"t"}, 1}, key("x", a))); // of this name there is one
  CHECK(attempts.serve(c, {task_id{"u"}, 1}, key("x", a)));
  CHECK(attempts.serves(b, {task_id{"t"}, 1}));
  CHECK_FALSE(attempts.serves(c, {task_id{"t"}, 1}));
  auto abandoned = attempts.abandon(b);
  REQUIRE(abandoned.size() == 1);
  CHECK(abandoned[0].task == task_id{"t"});
  CHECK_FALSE(attempts.served({task_id{"t"}, 1}));
  CHECK(attempts.served({task_id{"u"}, 1}) == c);
}

TEST_CASE("each peer is told what others than itself have at an agent, once per change") {
  shared_attempts attempts;
  auto agent = key("x", a);
  attempts.forget_told(b);
  attempts.forget_told(c);
  attempts.serve(b, {task_id{"t"}, 1}, agent);
  attempts.on_use({agent, 3}); // one of b, two of this node
  CHECK(attempts.news_for(b) == std::vector{agent_use{agent, 2}});
  CHECK(attempts.news_for(c) == std::vector{agent_use{agent, 3}});
  CHECK(attempts.news_for(b).empty());
  attempts.served({task_id{"t"}, 1});
  attempts.on_use({agent, 2});
  CHECK(attempts.news_for(b).empty()); // the others have what they had
  CHECK(attempts.news_for(c) == std::vector{agent_use{agent, 2}});
  attempts.on_use({agent, 0});
  CHECK(attempts.news_for(b) == std::vector{agent_use{agent, 0}});
  CHECK(attempts.news_for(c) == std::vector{agent_use{agent, 0}});
  attempts.on_use({agent, 1});
  CHECK(attempts.news_for(b) == std::vector{agent_use{agent, 1}});
  attempts.forget_told(b); // another life of it
  CHECK(attempts.news_for(b) == std::vector{agent_use{agent, 1}});
}

// -- demand
// --------------------------------------------------------------------------------------------

TEST_CASE("demand is divided in proportion to what each node may have") {
  CHECK(split_demand(6, {4, 4, 4}) == std::vector<std::uint32_t>{2, 2, 2});
  CHECK(split_demand(1, {4, 4}) == std::vector<std::uint32_t>{1, 0});
  CHECK(split_demand(6, {1, 11}) == std::vector<std::uint32_t>{1, 5});
  CHECK(split_demand(6, {0, 3}) == std::vector<std::uint32_t>{0, 6});
  CHECK(split_demand(6, {0, 0}) == std::vector<std::uint32_t>{0, 0});
  CHECK(split_demand(0, {1, 2}) == std::vector<std::uint32_t>{0, 0});
  for (std::uint32_t waiting = 0; waiting < 50; ++waiting) {
    auto shares = split_demand(waiting, {3, 7, 0, 16, 1});
    CHECK(std::accumulate(shares.begin(), shares.end(), 0u) == waiting);
    CHECK(shares[2] == 0);
  }
  auto many = split_demand(4'000'000'000u, {4'000'000'000u, 4'000'000'000u});
  CHECK(many == std::vector<std::uint32_t>{2'000'000'000u, 2'000'000'000u});
}

// -- lists
// ---------------------------------------------------------------------------------------------

namespace {

/// The tasks of one node; each with its number and when it was submitted.
struct shelf {
  node_name node;
  std::vector<std::pair<std::uint64_t, int>> tasks; // newest first

  task_page page(const task_query& query) const {
    auto position = query.positions.find(node);
    auto before = position == query.positions.end() ? 0 : position->second;
    task_page result;
    for (const auto& [number, at] : tasks) {
      if (before != 0 && number >= before)
        continue;
      if (result.tasks.size() == query.limit) {
        result.next = result.tasks.back().number;
        break;
      }
      task_record task;
      task.id = task_id{node.str() + std::to_string(number)};
      task.number = number;
      task.submitted_at = unix_time{at};
      result.tasks.push_back(task);
    }
    return result;
  }
};

} // namespace

TEST_CASE("lists of several nodes are one list, page by page, without a gap or a double") {
  std::vector<shelf> shelves{{a, {}}, {b, {}}, {c, {}}};
  for (int i = 300; i > 0; --i)
    shelves[static_cast<std::size_t>(i * 7 % 3 == 0 ? 0
                                     : i % 5 == 0   ? 1
                                                    : 2)]
        .tasks.emplace_back(i, i);
  for (std::uint32_t limit : {1u, 7u, 100u, 1'000u}) {
    std::vector<std::string> seen;
    task_query query;
    query.limit = limit;
    auto last = 1'000;
    for (auto pages = 0; pages < 1'000; ++pages) {
      std::vector<std::pair<node_name, task_page>> parts;
      for (const auto& shelf : shelves)
        parts.emplace_back(shelf.node, shelf.page(query));
      auto page = merge_pages(std::move(parts), query);
      CHECK(page.tasks.size() <= limit);
      for (const auto& task : page.tasks) {
        seen.push_back(task.id.str());
        CHECK(task.home.str() == task.id.str().substr(0, 1));
        CHECK(task.submitted_at.count() < last);
        last = static_cast<int>(task.submitted_at.count());
      }
      if (page.positions.empty())
        break;
      query.positions = page.positions;
    }
    CHECK(seen.size() == 300);
    CHECK(std::set<std::string>(seen.begin(), seen.end()).size() == 300);
  }
}
