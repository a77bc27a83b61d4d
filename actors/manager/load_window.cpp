#include "actors/manager/load_window.hpp"

#include <algorithm>

namespace rolecall {

namespace {

double seconds(std::chrono::nanoseconds time) {
  return std::chrono::duration<double>(time).count();
}

} // namespace

load_window::load_window(millis span)
    : width_{std::max(std::chrono::nanoseconds{1}, std::chrono::nanoseconds{span} / slices)} {}

void load_window::set(double level, time_point now) {
  advance(now);
  level_ = level;
  at(current_).peak = std::max(at(current_).peak, level);
}

void load_window::note(double level, time_point now) {
  advance(now);
  at(current_).peak = std::max(at(current_).peak, level);
}

double load_window::mean(time_point now) {
  advance(now);
  auto area = 0.0;
  for (const auto& each : slices_)
    area += each.area;
  return area / seconds(slices * width_ + last_ - since_start(current_));
}

double load_window::peak(time_point now) {
  advance(now);
  return std::max_element(slices_.begin(), slices_.end(),
                          [](const slice& a, const slice& b) { return a.peak < b.peak; })
      ->peak;
}

void load_window::advance(time_point now) {
  if (!start_)
    start_ = now;
  auto time = std::max(last_, std::chrono::nanoseconds{now - *start_});
  auto target = time / width_;
  if (target == current_) {
    at(current_).area += level_ * seconds(time - last_);
  } else {
    at(current_).area += level_ * seconds(since_start(current_ + 1) - last_);
    // However far the clock has jumped: there are no more slices than these.
    for (auto number = std::max(current_ + 1, target - slots + 1); number < target; ++number)
      at(number) = {level_ * seconds(width_), level_};
    at(target) = {level_ * seconds(time - since_start(target)), level_};
  }
  current_ = target;
  last_ = time;
}

} // namespace rolecall
