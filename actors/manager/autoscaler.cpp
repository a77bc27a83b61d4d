#include "actors/manager/autoscaler.hpp"

#include <algorithm>
#include <cmath>

namespace rolecall {

namespace {

constexpr double min_ends = 2.5;     // before a service time is believed; they decay
constexpr double memory = 0.9;       // of each end for the ones before it
constexpr double spawn_memory = 0.8; // the same for spawns
constexpr millis slack_patience{200};

double seconds(autoscaler::time_point from, autoscaler::time_point to) {
  return std::max(0.0, std::chrono::duration<double>(to - from).count());
}

/// What is a whole number but for the last digits of a sum is one.
double whole(double agents) {
  return std::ceil(agents - 1e-6);
}

} // namespace

autoscaler::autoscaler(const role_policy& policy, const scaling_windows& windows)
    : policy_{policy},
      panic_threshold_{windows.panic_threshold},
      // A mean must not keep agents longer than the idle timeout does.
      stable_span_{std::min(windows.stable, policy.idle_timeout)},
      stable_{stable_span_},
      burst_{std::min(windows.panic, stable_span_)},
      held_{policy.idle_timeout} {}

// -- what happens
// ------------------------------------------------------------------------------------

void autoscaler::on_demand(const role_demand& demand, double slots, std::uint32_t ready,
                           time_point now) {
  measure(demand, now);
  demand_ = demand;
  auto slots_needed = work(slots, ready, now);
  now_ = whole(slots_needed / std::max(1.0, slots));
  stable_.set(slots_needed, now);
  burst_.set(slots_needed, now);
  held_.set(now_, now);
  peak_ = std::max(peak_, now_);
}

void autoscaler::on_tick(double slots, std::uint32_t ready, time_point now) {
  on_demand(demand_, slots, ready, now);
  auto per_agent = std::max(1.0, slots) * policy_.target_utilization;
  auto calm = stable_.mean(now) / per_agent;
  auto burst = burst_.mean(now) / per_agent;
  if (burst >= panic_threshold_ * std::max(1u, ready))
    panic_until_ = now + stable_span_;
  else if (panic_until_ && now >= *panic_until_)
    panic_until_.reset();
  // A mean asks for free slots beside those in use. If none are wanted, tasks that wait will ask.
  average_ = policy_.target_utilization == 1 ? 0
             : panic_until_                  ? whole(std::max(calm, burst))
                                             : whole(calm);
  floor_ = panic_until_ ? std::max({floor_, now_, average_}) : 0;
  peak_ = held_.peak(now);
}

void autoscaler::keep(std::uint32_t agents, time_point now) {
  held_.note(agents, now);
  peak_ = std::max(peak_, static_cast<double>(agents));
}

void autoscaler::on_spawn_sent(time_point now) {
  sent_.push_back(now);
}

void autoscaler::on_spawn_ended(bool ok, time_point now) {
  if (sent_.empty())
    return;
  auto took = seconds(sent_.front(), now);
  sent_.pop_front();
  if (ok)
    spawn_s_ = spawn_s_ ? spawn_memory * *spawn_s_ + (1 - spawn_memory) * took : took;
}

// -- what comes of it
// --------------------------------------------------------------------------------

std::uint32_t autoscaler::needed() const {
  return bounded(std::max(now_, average_) + policy_.warm_spares);
}

std::uint32_t autoscaler::kept() const {
  return bounded(std::max({now_, average_, peak_, floor_}) + policy_.warm_spares);
}

std::optional<millis> autoscaler::oldest_spawn(time_point now) const {
  if (sent_.empty())
    return std::nullopt;
  return std::max(millis{0}, std::chrono::duration_cast<millis>(now - sent_.front()));
}

// -- inside
// ------------------------------------------------------------------------------------------

/// The slots that the work of this moment needs.
double autoscaler::work(double slots, std::uint32_t ready, time_point now) {
  double waiting = demand_.waiting;
  auto there = static_cast<double>(ready) * std::max(1.0, slots);
  // What runs beyond that runs on agents that are on their way out, and will not come back.
  auto running = std::min<double>(demand_.running, there);
  auto all = waiting + running;
  // An agent that has just come is not busy at once. One that stays idle will not help who waits.
  auto saturated = running >= ready * std::floor(std::max(1.0, slots)); // slots are a mean
  if (waiting == 0 || saturated)
    slack_since_.reset();
  else if (!slack_since_)
    slack_since_ = now;
  auto helpful =
      ready > 0 && running > 0 && (!slack_since_ || now - *slack_since_ < slack_patience);
  if (waiting == 0 || !helpful || !spawn_s_ || ended_ < min_ends)
    return all;
  // If none ends for long, tasks have become longer than those that were measured.
  auto service_s = std::max(all_busy_s_ / ended_, busy_s_ / 2);
  // So many slots work the line off in the time that a spawn takes.
  auto enough = waiting * service_s / std::max(*spawn_s_, 1e-6);
  return std::clamp(enough, running, all);
}

/// Little's law: slots in use, times the time between two ends, is how long a task takes. Ends that
/// are hidden by beginnings make it longer than it is, which errs on the side of more agents.
void autoscaler::measure(const role_demand& next, time_point now) {
  if (demand_.waiting == 0) {
    busy_s_ = 0;
  } else {
    busy_s_ += demand_.running * seconds(told_at_.value_or(now), now);
    auto before = std::uint64_t{demand_.waiting} + demand_.running;
    auto after = std::uint64_t{next.waiting} + next.running;
    if (after < before && demand_.running > 0) {
      auto ends = static_cast<double>(std::min<std::uint64_t>(before - after, demand_.running));
      auto left = std::pow(memory, ends);
      all_busy_s_ = all_busy_s_ * left + busy_s_;
      ended_ = ended_ * left + ends;
      busy_s_ = 0;
    }
  }
  told_at_ = now;
}

std::uint32_t autoscaler::bounded(double agents) const {
  double most = policy_.max_agents;
  return static_cast<std::uint32_t>(
      std::clamp(agents, std::min<double>(policy_.min_agents, most), most));
}

} // namespace rolecall
