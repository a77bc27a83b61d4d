#include "actors/manager/autoscaler.hpp"

#include <algorithm>
#include <cmath>

namespace rolecall {

namespace {

constexpr double spawn_memory = 0.8; // of each spawn for the ones before it
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
  meter_.told(demand, now);
  demand_ = demand;
  auto slots_needed = work(slots, ready, now);
  now_ = whole(slots_needed / std::max(1.0, slots));
  stable_.set(slots_needed, now);
  burst_.set(slots_needed, now);
  held_.set(kept_of(now_, ready), now);
  peak_ = std::max(peak_, kept_of(now_, ready));
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
  floor_ = panic_until_ ? std::max({floor_, kept_of(now_, ready), kept_of(average_, ready)}) : 0;
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

std::uint32_t autoscaler::late_spawns(time_point now) const {
  if (!spawn_s_)
    return 0;
  auto late = [&](time_point sent) { return seconds(sent, now) > 2 * *spawn_s_ + 1; };
  return static_cast<std::uint32_t>(std::count_if(sent_.begin(), sent_.end(), late));
}

// -- inside
// ------------------------------------------------------------------------------------------

/// What was wanted for want of knowledge is not kept if it has not come.
double autoscaler::kept_of(double agents, std::uint32_t ready) const {
  return spawn_s_ && meter_.task_s() ? agents : std::min<double>(agents, ready);
}

/// The slots that the work of this moment needs.
double autoscaler::work(double slots, std::uint32_t ready, time_point now) {
  double waiting = demand_.waiting;
  auto there = static_cast<double>(ready) * std::max(1.0, slots);
  // What runs beyond that runs on agents that are on their way out, and will not come back.
  auto running = std::min<double>(demand_.running, there);
  auto all = waiting + running;
  // An agent that has just come is not busy at once. One that stays idle will not help who waits.
  auto saturated = running >= ready * std::floor(std::max(1.0, slots)); // slots are a mean
  if (waiting == 0 || ready == 0 || saturated)
    slack_since_.reset();
  else if (!slack_since_)
    slack_since_ = now;
  auto idle = slack_since_ && now - *slack_since_ >= slack_patience;
  auto task_s = meter_.task_s();
  if (waiting == 0 || idle || !spawn_s_ || !task_s)
    return all;
  // So many slots work the line off in the time that a spawn takes; so many do what comes.
  auto line = waiting * *task_s / std::max(*spawn_s_, 1e-6);
  auto stream = meter_.arrivals() * *task_s;
  return std::clamp(std::max(line, stream), running, all);
}

std::uint32_t autoscaler::bounded(double agents) const {
  double most = policy_.max_agents;
  return static_cast<std::uint32_t>(
      std::clamp(agents, std::min<double>(policy_.min_agents, most), most));
}

} // namespace rolecall
