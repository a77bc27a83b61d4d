// How runs are judged, and the bounds that they are held against.
#include "tests/app/simulate/lab_fixture.hpp"

using namespace rolecall::lab;
using namespace rolecall::lab::tests;

TEST_CASE("a quantile is the nearest rank") {
  std::vector<double> values;
  for (int i = 1; i <= 1'000; ++i)
    values.push_back(i);
  CHECK(quantile(values, 0.5) == 500);
  CHECK(quantile(values, 0.99) == 990);
  CHECK(quantile(values, 0.999) == 999);
  CHECK(quantile(values, 1) == 1'000);
  CHECK(quantile({7}, 0) == 7);
  CHECK(quantile({}, 0.5) == 0);
}

TEST_CASE("Jain's index tells how even shares are") {
  CHECK(jain_index({1, 1, 1, 1}) == Approx(1));
  CHECK(jain_index({1, 0, 0, 0}) == Approx(0.25));
  CHECK(jain_index({}) == 1);
}

TEST_CASE("max-min shares give what one leaves to the others") {
  CHECK(max_min_shares({1, 10, 10}, 9) == std::vector<double>{1, 4, 4});
  CHECK(max_min_shares({1, 2}, 9) == std::vector<double>{1, 2});
}

TEST_CASE("a task that fails counts with its time limit at least") {
  auto what = plain_scenario(1);
  what.kinds[0].timeout_s = 50;
  what.kinds[0].retry.max_attempts = 1;
  what.agents[0].phases = {{0, 1, condition::fails, 0.01}};
  what.tasks = {task_at(0, 1)};
  auto f = judged(what);
  CHECK(f.success == 0);
  CHECK(f.p50_s == 50);
}

TEST_CASE("the relaxed bound is exact for one server with the shortest first") {
  auto what = plain_scenario(1);
  what.tasks = {task_at(0, 4), task_at(1, 1), task_at(2, 2)};
  // The second interrupts the first, and so does the third: they end at 2, 4 and 7.
  CHECK(relaxed_bound(what) == Approx((7 + (2 - 1) + (4 - 2)) / 3.0));
  what.agents[0].phases = {{4, 0.5}};
  CHECK(relaxed_bound(what) == Approx((10 + (2 - 1) + (4 - 2)) / 3.0));
}

TEST_CASE("the clairvoyant waits for a better agent if the task ends sooner so") {
  auto what = plain_scenario(2);
  what.agents[1].speed = 0.1;
  what.tasks = {task_at(0, 1), task_at(0.5, 1)};
  CHECK(clairvoyant_mean(what) == Approx((1 + 1.5) / 2));
}

TEST_CASE("no run is better than the relaxed bound, and the clairvoyant is between them") {
  auto what = plain_scenario(0);
  what.agents = agents_of_many_speeds({}, 10, 0.5);
  CHECK(capacity_of(what) == Approx(10));
  what = with_tasks(what, 8, distribution::lognormal(1, 1), 5'000);
  auto relaxed = relaxed_bound(what);
  auto clairvoyant = clairvoyant_mean(what);
  CHECK(relaxed < clairvoyant);
  CHECK(clairvoyant < judged(what).mean_s);
}
