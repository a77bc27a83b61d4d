// What is kept free for those who use less than their share, and how many tasks an agent is worth.
#include "actors/router/headroom.hpp"
#include "actors/router/useful_load.hpp"

#include <catch2/catch.hpp>

using namespace rolecall;
using namespace std::chrono_literals;

namespace {

/// Eight slots, and whoever asks for one gets it if the rule allows it.
struct tenants {
  headroom::situation seen_by(const headroom::key& of) {
    return {weights.contains(of.name) ? weights[of.name] : 1, waiting[of], slots};
  }
  bool start(const headroom::key& of) {
    auto now_is = seen_by(of);
    auto left = room.left_to_others(of.priority, now_is);
    if (total >= slots || (room.is_greedy(of, now_is) && left && left->full))
      return false;
    waiting[of] -= waiting[of] > 0 ? 1 : 0;
    room.started(of, seen_by(of), now);
    ++total;
    return true;
  }
  /// As many as may; gives how many.
  int start_all(const headroom::key& of) {
    int count = 0;
    while (start(of))
      ++count;
    return count;
  }
  void end(const headroom::key& of, int count = 1) {
    for (; count > 0; --count, --total)
      room.ended(of, seen_by(of), now);
  }
  void pass(std::chrono::milliseconds time) {
    now += time;
    room.follow(now);
  }

  double slots{8};
  headroom room{10s};
  headroom::time_point now{1h};
  double total{0};
  std::map<headroom::key, std::size_t> waiting;
  std::map<std::string, double> weights;
};

const headroom::key flood{0, "flood"};
const headroom::key modest{0, "modest"};

} // namespace

TEST_CASE("a key that is alone has every slot") {
  tenants t;
  t.waiting[flood] = 1'000;
  CHECK(t.start_all(flood) == 8);
}

TEST_CASE("a key leaves nothing free for what it used itself, in bursts that come and go") {
  tenants t;
  CHECK(t.start_all(flood) == 8);
  t.pass(3s);
  t.end(flood, 8);
  t.pass(3s);
  t.waiting[flood] = 1'000;
  CHECK(t.start_all(flood) == 8);
  t.waiting[flood] = 3;
  t.end(flood, 4); // not greedy any more
  t.pass(1s);
  t.end(flood, 4);
  t.waiting[flood] = 1'000;
  CHECK(t.start_all(flood) == 8);
}

TEST_CASE("a greedy key leaves free what the others had of late, until that is long ago") {
  tenants t;
  CHECK(t.start(modest));
  CHECK(t.start(modest));
  t.pass(5s);
  t.pass(5s);
  t.end(modest, 2);
  t.waiting[flood] = 1'000;
  CHECK(t.start_all(flood) == 6);
  t.pass(1s);
  CHECK_FALSE(t.start(flood));
  CHECK(t.start(modest)); // has room at once
  CHECK_FALSE(t.start(flood));
  t.end(modest);
  t.pass(10s);
  CHECK(t.start_all(flood) == 2);
}

TEST_CASE("of others that have just come one more is kept free than they had") {
  tenants t;
  CHECK(t.start(modest));
  t.waiting[flood] = 1'000;
  CHECK(t.start_all(flood) == 6);
  t.pass(5s);
  t.pass(5s);
  CHECK(t.start(flood)); // one at a time is all that they do
}

TEST_CASE("no more is kept free than is seldom taken before another gets free") {
  tenants t;
  t.slots = 100;
  for (int i = 0; i < 20; ++i)
    CHECK(t.start(modest));
  t.pass(4s);
  t.pass(4s);
  t.end(modest, 4);
  t.waiting[flood] = 1'000;
  CHECK(t.start_all(flood) == 100 - 16 - 2);
}

TEST_CASE("no more than the share of the others is kept free for them") {
  tenants t;
  CHECK(t.start_all(modest) == 8);
  t.pass(4s);
  t.waiting[flood] = 1'000;
  t.end(modest, 8);
  CHECK(t.start_all(flood) == 4);
}

TEST_CASE("who is below its share in the mean may be as far above it for a moment") {
  tenants t;
  for (int i = 0; i < 3; ++i)
    CHECK(t.start(modest));
  t.pass(4s);
  for (int i = 0; i < 3; ++i)
    CHECK(t.start(modest));
  t.end(modest, 3);
  t.waiting[flood] = 1'000;
  CHECK(t.start_all(flood) == 3); // 3 in the mean, so that they may have 5 at times
  CHECK(t.start(modest));
  CHECK(t.start(modest));
}

TEST_CASE("a key's weight is its part in what is kept free") {
  tenants t;
  t.weights["flood"] = 3;
  CHECK(t.start_all(modest) == 8);
  t.pass(4s);
  t.waiting[flood] = 1'000;
  t.end(modest, 8);
  CHECK(t.start_all(flood) == 6);
}

TEST_CASE("two greedy keys together leave room for a third") {
  tenants t;
  CHECK(t.start(modest));
  CHECK(t.start(modest));
  t.pass(5s);
  t.pass(5s);
  t.waiting[flood] = 1'000;
  const headroom::key other{0, "other"};
  t.waiting[other] = 1'000;
  for (int i = 0; i < 8; ++i)
    t.start(i % 2 == 0 ? flood : other);
  CHECK(t.total == 8);
  t.end(modest, 2);
  CHECK_FALSE(t.start(flood));
  CHECK_FALSE(t.start(other));
  CHECK(t.start(modest));
}

TEST_CASE("a key that gets greedy itself has nothing kept free that it used") {
  tenants t;
  t.waiting[flood] = 1'000;
  t.start_all(flood);
  t.end(flood, 2);
  t.start(modest);
  t.start(modest);
  t.waiting[modest] = 1'000;
  t.end(modest, 2);
  t.start(modest);
  CHECK(t.start_all(modest) + t.start_all(flood) == 1); // all eight are used
}

TEST_CASE(
    "of thousands of keys what they had at the same time is kept free, not one slot for each") {
  tenants t;
  for (int i = 0; i < 5'000; ++i) {
    headroom::key one{0, "k" + std::to_string(i)};
    CHECK(t.start(one));
    t.end(one);
  }
  t.waiting[flood] = 1'000;
  CHECK(t.start_all(flood) == 7);
}

TEST_CASE("nothing is kept free of a higher class for a lower one") {
  tenants t;
  t.start(modest);
  t.start(modest);
  t.pass(5s);
  t.pass(5s);
  t.end(modest, 2);
  const headroom::key urgent{9, "flood"};
  t.waiting[urgent] = 1'000;
  CHECK(t.start_all(urgent) == 8);
  t.end(urgent, 8);
  t.waiting[flood] = 1'000;
  CHECK(t.start_all(flood) == 6);
}

TEST_CASE("one of the greedy always goes, however little there is") {
  tenants t;
  t.slots = 1;
  t.start(modest);
  t.end(modest);
  t.waiting[flood] = 1'000;
  CHECK(t.start(flood));
  CHECK(t.room.left_to_others(0, t.seen_by(flood))->full);
  t.end(flood);
  CHECK_FALSE(t.room.left_to_others(0, t.seen_by(flood))->full);
}

TEST_CASE("a clock that goes back keeps nothing free for longer") {
  tenants t;
  t.start(modest);
  t.end(modest);
  t.waiting[flood] = 1'000;
  CHECK(t.start_all(flood) == 7);
  t.now -= 30min;
  t.room.clock_went_back(t.now);
  t.pass(10s);
  CHECK(t.start(flood));
}

namespace {

/// The agents of the role, two of them, are kept at so many each for some seconds; each does as
/// many as `rate` says.
template <class Rate>
void run(useful_load& load, std::uint32_t in_flight, Rate rate, useful_load::time_point& now) {
  for (int second = 0; second < 8; ++second) {
    now += 1s;
    load.follow(2 * in_flight, 2, now);
    for (int i = 0; i < 2 * rate(in_flight); ++i)
      load.completed(1, 128);
  }
}

/// Follows what it says from some load on.
template <class Rate>
std::uint32_t settled(Rate rate, std::uint32_t from, double at_least = 0) {
  useful_load load;
  useful_load::time_point now{1h};
  load.follow(0, 2, now);
  run(load, from, rate, now);
  std::uint32_t last = 0;
  for (int i = 0; i < 9; ++i) {
    last = load.of(64, at_least);
    run(load, last, rate, now);
  }
  return last;
}

} // namespace

TEST_CASE("an agent that computes is worth as many tasks as it has cores") {
  auto cores = [](std::uint32_t count) {
    return [count](std::uint32_t n) { return 4 * static_cast<int>(std::min(count, n)); };
  };
  CHECK(settled(cores(8), 1) == 8);
  CHECK(settled(cores(8), 64) == 8);
  CHECK(settled(cores(2), 64) == 2);
  CHECK(settled(cores(32), 1) == 32);
}

TEST_CASE("an agent that waits for others is worth as many as it takes") {
  auto waits = [](std::uint32_t n) { return 2 * static_cast<int>(n); };
  CHECK(settled(waits, 1) == 64);
  CHECK(settled(waits, 64) == 64);
}

TEST_CASE("fewer than are there anyway are not tried") {
  auto one_core = [](std::uint32_t) { return 4; };
  CHECK(settled(one_core, 64) == 1);
  CHECK(settled(one_core, 64, 4) == 4);
}

TEST_CASE("of an agent of which nothing is known the root of its limit is tried") {
  CHECK(useful_load{}.of(64, 0) == 8);
  CHECK(useful_load{}.of(1, 0) == 1);
}
