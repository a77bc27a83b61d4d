#include "actors/router/headroom.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace rolecall {

namespace {

constexpr double greedy_from = 2; // times its share
constexpr double tolerance = 1e-9;
constexpr double seldom = 0.05; // are all that are kept free taken
constexpr double least_part = 0.01;
constexpr double most_part = 0.5;
constexpr std::size_t max_idle = 4'096;

} // namespace

void recent_values::note(double value, std::chrono::milliseconds window, time_point now) {
  if (value <= 0 && now_ <= 0 && peak() <= 0 && sum_ <= 0)
    return; // there is nothing
  if (value > 0 && now_ <= 0 && (peak() <= 0 || now - since_ >= window)) {
    sum_ = watched_ = 0;
    begun_ = at_ = now;
  }
  if (now - since_ >= window) {
    previous_ = current_ = now_; // for as long as it was not told of anything else
    since_ = now;
  } else if (now - since_ >= window / 2) {
    previous_ = current_;
    current_ = now_;
    since_ = now;
  }
  if (now > at_ && (now_ > 0 || sum_ > 0)) {
    auto part = 1 - std::exp(-2 * std::chrono::duration<double>(now - at_) / window);
    sum_ += (now_ - sum_) * part;
    watched_ += (1 - watched_) * part;
  }
  young_ = now - begun_ < window;
  at_ = now;
  now_ = value;
  current_ = std::max(current_, value);
}

void recent_values::forgive(double amount) noexcept {
  current_ = std::max(now_, current_ - amount);
  previous_ = std::max(now_, previous_ - amount);
}

/// Of the slots, by the weights of those of whom something runs.
double headroom::share(const key& of, const situation& now_is) const {
  const auto& its_level = levels_[level_of(of.priority)];
  auto weights = its_level.weight + its_level.greedy_weight;
  if (auto found = entries_.find(of); found == entries_.end() || found->second.running <= 0)
    weights += now_is.weight;
  return std::max(1.0, now_is.slots * now_is.weight / std::max(weights, now_is.weight));
}

bool headroom::is_greedy(const key& of, const situation& now_is) const {
  auto found = entries_.find(of);
  auto running = found == entries_.end() ? 0.0 : found->second.running;
  auto was = found != entries_.end() && found->second.greedy;
  return running + static_cast<double>(now_is.waiting) >
         share(of, now_is) * (was ? 1 : greedy_from);
}

std::optional<headroom::reserve> headroom::left_to_others(std::uint8_t priority,
                                                          const situation& now_is) const {
  const auto& l = levels_[level_of(priority)];
  auto weight = l.recent_weight.peak();
  if (window_ == window_.zero() || weight < tolerance || now_is.slots < 1)
    return std::nullopt;
  auto share = now_is.slots * weight / (weight + std::max(l.greedy_weight, now_is.weight));
  auto mean = l.recent_use.mean();
  auto part = std::clamp(mean / now_is.slots, least_part, most_part);
  auto free = std::ceil(std::log(seldom) / std::log(part) - tolerance);
  auto most = share + std::max(0.0, share - mean); // as far above it now as they are below it
  auto seen = l.recent_use.peak();
  if (l.recent_use.is_young() && l.use >= seen)
    ++seen; // they may well get to have more
  auto others = std::min({l.use + free, seen, most});
  auto full = l.greedy_running >= 1 && // one of them always may
              l.greedy_running + 1 > now_is.slots - others + tolerance;
  return reserve{others, l.greedy_running, full};
}

void headroom::started(const key& of, const situation& now_is, time_point now) {
  auto [found, fresh] = entries_.try_emplace(of);
  auto& e = found->second;
  idle_ -= !fresh && e.running <= 0 ? 1 : 0;
  add(of, e, -1);
  ++e.running;
  count(of, e, now_is, now);
}

void headroom::ended(const key& of, const situation& now_is, time_point now) {
  auto found = entries_.find(of);
  if (found == entries_.end() || found->second.running <= 0)
    return;
  auto& e = found->second;
  add(of, e, -1);
  --e.running;
  if (e.running > 0)
    return count(of, e, now_is, now);
  e.counted = 0;
  e.greedy = false;
  if (++idle_ > max_idle) {
    entries_.erase(found);
    --idle_;
  }
  if (idle_ == entries_.size())
    for (auto& l : levels_) // so that they stay exact
      l.use = l.weight = l.greedy_running = l.greedy_weight = 0;
  follow(now);
}

/// The key has another number running.
void headroom::count(const key& of, entry& e, const situation& now_is, time_point now) {
  e.weight = now_is.weight;
  auto was = e.greedy;
  add(of, e, 1); // a share is that of all of whom something runs, this one too
  auto greedy = is_greedy(of, now_is);
  add(of, e, -1);
  e.greedy = greedy;
  e.counted = greedy ? 0 : e.running;
  add(of, e, 1);
  follow(now);
  e.most = std::max(e.most, e.counted);
  if (greedy && !was)
    for (std::size_t i = 0; i <= level_of(of.priority); ++i) {
      // What it had itself is not kept free for anybody.
      auto most = std::max(e.most, e.most_before);
      levels_[i].recent_use.forgive(most);
      levels_[i].recent_weight.forgive(most > 0 ? e.weight : 0);
    }
}

void headroom::add(const key& of, const entry& e, double sign) {
  if (e.running <= 0)
    return;
  used_levels_ = std::max(used_levels_, level_of(of.priority) + 1);
  for (std::size_t i = 0; i <= level_of(of.priority); ++i) {
    auto& l = levels_[i];
    l.use += sign * e.counted;
    (e.greedy ? l.greedy_weight : l.weight) += sign * e.weight;
    l.greedy_running += e.greedy ? sign * e.running : 0;
  }
}

void headroom::follow(time_point now) {
  if (window_ == window_.zero())
    return;
  if (now - half_since_ >= window_ / 2) {
    half_since_ = now;
    begin_half();
  }
  for (std::size_t i = 0; i < used_levels_; ++i) {
    auto& l = levels_[i];
    l.recent_use.note(l.use, window_, now);
    l.recent_weight.note(l.weight, window_, now);
  }
}

/// Of what is not the latest or the one before it nothing is known any more.
void headroom::begin_half() {
  for (auto each = entries_.begin(); each != entries_.end();) {
    auto& e = each->second;
    e.most_before = std::exchange(e.most, e.counted);
    if (e.running <= 0 && e.most_before <= 0) {
      each = entries_.erase(each);
      --idle_;
    } else {
      ++each;
    }
  }
}

void headroom::clock_went_back(time_point now) {
  half_since_ = std::min(half_since_, now);
  for (auto& l : levels_) {
    l.recent_use.no_later_than(now);
    l.recent_weight.no_later_than(now);
  }
}

} // namespace rolecall
