#include "actors/manager/work_meter.hpp"

#include <algorithm>
#include <cmath>

namespace rolecall {

namespace {

constexpr double min_ends = 2.5; // before a time is believed; they decay
constexpr double memory = 0.9;   // of each end for the ones before it
constexpr std::uint64_t few = 3; // arrivals in a quarter: fewer are chance
constexpr double least_quarter_s = 0.25;
constexpr double longest_quarter_s = 15;

std::uint64_t more(std::uint64_t before, std::uint64_t after) {
  return after >= before ? after - before : after;
}

} // namespace

void work_meter::told(const role_demand& demand, time_point now) {
  if (last_.running > 0)
    silent_s_ += std::max(0.0, std::chrono::duration<double>(now - at_.value_or(now)).count());
  auto ends = more(last_.ended, demand.ended);
  if (ends > 0) {
    auto left = std::pow(memory, static_cast<double>(ends));
    auto worked = more(static_cast<std::uint64_t>(last_.worked.count()),
                       static_cast<std::uint64_t>(demand.worked.count()));
    worked_s_ = worked_s_ * left + static_cast<double>(worked) / 1e6;
    ended_ = ended_ * left + static_cast<double>(ends);
  }
  if (ends > 0 || demand.running == 0)
    silent_s_ = 0;
  count(more(last_.asked, demand.asked), now);
  last_ = demand;
  at_ = now;
}

std::optional<double> work_meter::task_s() const {
  if (ended_ < min_ends)
    return std::nullopt;
  return std::max(worked_s_ / ended_, silent_s_ / 2);
}

double work_meter::arrivals() const {
  auto sorted = rates_;
  std::nth_element(sorted.begin(), sorted.begin() + 1, sorted.end());
  return sorted[1];
}

void work_meter::count(std::uint64_t asked, time_point now) {
  auto quarter_s = std::clamp(task_s().value_or(0) / quarters, least_quarter_s, longest_quarter_s);
  auto quarter =
      std::chrono::duration_cast<time_point::duration>(std::chrono::duration<double>{quarter_s});
  // However far the clock has jumped: there are no more quarters than these.
  for (std::size_t i = 0; i <= quarters && now - begin_ >= quarter; ++i) {
    std::rotate(rates_.begin(), rates_.begin() + 1, rates_.end());
    rates_.back() = begun_ < few ? 0 : static_cast<double>(begun_) / quarter_s;
    begun_ = 0;
    begin_ += quarter;
  }
  if (now - begin_ >= quarter)
    begin_ = now;
  begun_ += asked;
}

} // namespace rolecall
