#include "actors/manager/cautious_growth.hpp"

#include <algorithm>
#include <cmath>

namespace rolecall {

namespace {

constexpr double a_few = 8;
constexpr std::chrono::duration<double> doubling{2};
constexpr double most_doublings = 20;

} // namespace

double cautious_growth::slots(const role_demand& demand, std::uint32_t ready, time_point now) {
  double running = demand.running;
  auto used = ready == 0 ? 0 : running / ready;
  if (demand.waiting == 0) {
    since_.reset();
    return std::max({1.0, used, demand.slots});
  }
  if (!since_) {
    since_ = now;
    first_ = std::max(a_few, 2.0 * ready);
  }
  auto doublings = std::clamp(std::floor((now - *since_) / doubling), 0.0, most_doublings);
  return std::max({1.0, used, (demand.waiting + running) / (first_ * std::exp2(doublings))});
}

} // namespace rolecall
