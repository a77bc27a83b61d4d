// How many attempts an agent gets whose service names no limit.
#include "actors/router/adaptive_limit.hpp"

#include <catch2/catch.hpp>

#include <cmath>
#include <functional>
#include <random>
#include <set>

using namespace rolecall;

namespace {

/// An agent that always has as much to do as it may: so many attempts at the same time are
/// `slower` times slower than one alone.
struct busy_agent {
  explicit busy_agent(std::function<double(double)> slower, double spread = 0.5)
      : slower{std::move(slower)}, spread{spread} {}

  /// Gives the mean limit of the second half of the time.
  double run(double seconds, double work = 1) {
    auto end = now + seconds;
    auto half = now + seconds / 2;
    double area = 0;
    std::lognormal_distribution<double> times{-spread * spread / 2, spread};
    while (now < end) {
      while (ends.size() < limit.limit())
        ends.insert({served + work * times(chance), now});
      auto rate = 1 / slower(static_cast<double>(ends.size()));
      auto [done, began] = *ends.begin();
      auto passed = (done - served) / rate;
      area += now >= half ? passed * limit.limit() : 0;
      now += passed;
      served = done;
      limit.completed((now - began) * 1e6, static_cast<std::uint32_t>(ends.size()));
      ends.erase(ends.begin());
      ++completed;
    }
    return area / (seconds / 2);
  }

  std::function<double(double)> slower;
  double spread;
  adaptive_limit limit{64};
  std::mt19937_64 chance{7};
  std::set<std::pair<double, double>> ends; // on the scale of `served`, and when they began
  double now{0};
  double served{0};
  int completed{0};
};

auto cores(double count) {
  return [count](double in_flight) { return std::max(1.0, in_flight / count); };
}

} // namespace

TEST_CASE("the limit of an agent that shares its cores is about their number") {
  for (auto count : {1.0, 2.0, 8.0, 32.0})
    for (auto spread : {0.05, 0.5}) {
      busy_agent agent{cores(count), spread};
      INFO(count << " cores, spread " << spread);
      auto limit = agent.run(200);
      CHECK(limit > 0.75 * count);
      CHECK(limit < 1.4 * count + 0.2);
      CHECK(agent.limit.learnt());
      CHECK(agent.limit.settled() == Approx(count).epsilon(0.4));
    }
}

TEST_CASE("an overload that lasts does not raise the limit") {
  busy_agent agent{cores(8)};
  agent.run(100);
  auto early = agent.run(100);
  auto late = agent.run(5'000);
  CHECK(late < 1.2 * early);
}

TEST_CASE("an agent that does not get slower gets as many as it may, soon") {
  busy_agent agent{[](double) { return 1.0; }, 0.2};
  agent.run(20);
  CHECK(agent.limit.limit() >= 45);
  CHECK(agent.run(200) > 50);
}

TEST_CASE("an agent whose throughput still grows is given more though each attempt gets slower") {
  busy_agent agent{[](double in_flight) { return 1 + 0.03 * in_flight; },
                   0.1}; // as a GPU's batches
  auto limit = agent.run(400);
  CHECK(limit > 22);
  CHECK(limit < 50);
}

TEST_CASE("an agent that falls apart under load is not kept there") {
  busy_agent agent{[](double in_flight) { return std::pow(std::max(1.0, in_flight / 8), 1.5); }};
  auto limit = agent.run(300);
  CHECK(limit > 5);
  CHECK(limit < 11);
}

TEST_CASE("the limit follows an agent that loses cores and gets them back") {
  busy_agent agent{cores(16)};
  CHECK(agent.run(200) > 12);
  agent.slower = cores(4);
  agent.run(300);
  CHECK(agent.run(100) < 7);
  agent.slower = cores(16);
  agent.run(300);
  CHECK(agent.run(100) > 12);
}

TEST_CASE("tasks that take ten times as long are no reason for a lower limit") {
  busy_agent agent{cores(8), 0.2};
  agent.run(200);
  agent.run(2'000, 10);
  CHECK(agent.run(2'000, 10) > 5);
  CHECK(agent.limit.limit() <= 11);
}

TEST_CASE("a limit begins with one attempt and does not grow by what was not tried") {
  adaptive_limit limit{64};
  CHECK(limit.limit() == 1);
  while (limit.limit() == 1)
    limit.completed(1'000, 1);
  auto reached = limit.limit();
  for (int i = 0; i < 100; ++i)
    limit.completed(1'000, 1);
  CHECK(limit.limit() == reached);
  CHECK_FALSE(limit.learnt());
}

TEST_CASE("an agent that takes one at a time and says so is asked for two ever more rarely") {
  adaptive_limit limit{64};
  std::vector<int> pauses{0}; // attempts between refusals
  for (int i = 0; i < 2'000; ++i)
    if (limit.limit() > 1) {
      limit.refused(2);
      pauses.push_back(0);
    } else {
      limit.completed(1'000, 1);
      ++pauses.back();
    }
  std::erase_if(pauses, [](int pause) { return pause <= 1; });
  REQUIRE(pauses.size() > 3);
  CHECK(pauses.size() < 25);
  CHECK(pauses[pauses.size() - 2] > 4 * pauses[1]);
}

TEST_CASE("attempts that are refused together are one reason for a lower limit") {
  adaptive_limit limit{64};
  limit.begin_at(32);
  for (std::uint32_t in_flight = 32; in_flight > 20; --in_flight)
    limit.refused(in_flight);
  CHECK(limit.limit() == 23);
  limit.refused(5); // for another reason than the limit
  CHECK(limit.limit() == 23);
}

TEST_CASE("a limit begins with what others have learnt, and never passes the most") {
  adaptive_limit limit{64};
  limit.begin_at(8.3);
  CHECK(limit.limit() == 8);
  CHECK(limit.learnt());
  limit.set_most(5);
  CHECK(limit.limit() == 5);
  limit.begin_at(1e9);
  CHECK(limit.limit() == 5);
  limit.set_most(0);
  CHECK(limit.limit() == 1);
  for (int i = 0; i < 1'000; ++i)
    limit.completed(1'000, 1);
  CHECK(limit.limit() == 1);
}
