#include "actors/router/agent_pool.hpp"

#include <cmath>
#include <numbers>
#include <utility>

namespace rolecall {

namespace {

constexpr std::size_t max_matches = 1'024;
constexpr int ring_points = 8; // of an agent
constexpr int ring_steps = 16;

/// FNV-1a with a final mix: the same on every node and in every run.
std::uint64_t hash_of(std::string_view text, std::uint64_t salt) {
  auto h = 14'695'981'039'346'656'037u ^ (salt * 0x9e37'79b9'7f4a'7c15u);
  for (auto c : text)
    h = (h ^ static_cast<unsigned char>(c)) * 1'099'511'628'211u;
  h = (h ^ (h >> 33)) * 0xff51'afd7'ed55'8ccdu;
  return h ^ (h >> 29);
}

constexpr double least_proficiency = 0.01; // what is less counts as this
constexpr double levels_of_lack = 4 / std::numbers::ln2;

} // namespace

double lack_of(double proficiency) {
  return -std::log(std::clamp(proficiency, least_proficiency, 1.0));
}

double routed_agent::lack(const std::vector<std::string>& skills) const {
  double sum = 0;
  for (const auto& skill : skills)
    if (auto found = record.skills.find(skill); found != record.skills.end())
      sum += lack_of(found->second);
  return sum / static_cast<double>(std::max<std::size_t>(1, skills.size()));
}

int cost_buckets::of(double cost) {
  auto bucket = static_cast<int>(std::floor(4 * std::log2(std::max(cost, 1e-9)))) + count / 2;
  return std::clamp(bucket, 0, count - 1);
}

double cost_buckets::mean_of(int bucket) {
  static const auto means = [] {
    std::array<double, count> result{};
    for (int i = 0; i < count; ++i)
      result[static_cast<std::size_t>(i)] = std::exp2((i - count / 2 + 0.5) / 4);
    return result;
  }();
  return means[static_cast<std::size_t>(bucket)];
}

routed_agent* agent_pool::find(const agent_key& key) {
  auto found = agents_.find(key);
  return found == agents_.end() ? nullptr : &found->second;
}

routed_agent& agent_pool::put(const agent_record& record) {
  auto [found, fresh] = agents_.try_emplace(record.key);
  auto& a = found->second;
  if (!fresh) {
    leave(a);
    leave_group(a);
  }
  a.record = record;
  a.record.max_concurrency = std::max(1u, record.max_concurrency);
  a.adaptive.set_most(a.record.max_concurrency);
  if (fresh && !record.limit_declared && slots_ > 0)
    a.adaptive.begin_at(slots_);
  join_group(a);
  if (fresh)
    put_on_ring(a, true);
  return a;
}

void agent_pool::erase(const agent_key& key) {
  auto found = agents_.find(key);
  if (found == agents_.end())
    return;
  auto& a = found->second;
  leave(a);
  leave_group(a);
  count_limit(a, 0, 0);
  count_usable(a, false, 0);
  put_on_ring(a, false);
  if (a.due)
    dues_.erase({*a.due, &a});
  in_flight_ -= a.in_flight;
  others_ -= a.others;
  ejected_.erase(key);
  agents_.erase(found);
}

/// Takes the agent out of what says whether it may be used.
void agent_pool::leave(routed_agent& a) {
  auto& g = *a.group;
  if (a.free_at != routed_agent::none) {
    g.order.erase(&a);
    auto* last = g.free.back();
    g.free[a.free_at] = last;
    last->free_at = a.free_at;
    g.free.pop_back();
    a.free_at = routed_agent::none;
    --free_;
    --g.usable;
  } else if (a.busy_bucket >= 0) {
    g.busy[static_cast<std::size_t>(a.busy_bucket)] -= a.busy_slots;
    a.busy_bucket = -1;
    --g.usable;
  }
}

/// Notes what the agent adds to the means; 0 slots: that is not known.
void agent_pool::count_limit(routed_agent& a, std::uint32_t limit, double slots) {
  limits_ += limit;
  limits_ -= a.counted_limit;
  a.counted_limit = limit;
  if (slots == a.counted_slots)
    return;
  slots_sum_ += slots - a.counted_slots;
  slots_count_ += slots > 0 ? 1 : 0;
  slots_count_ -= a.counted_slots > 0 ? 1 : 0;
  a.counted_slots = slots;
  if (slots_count_ > 0)
    slots_ = std::max(1.0, slots_sum_ / static_cast<double>(slots_count_));
  else
    slots_sum_ = 0; // so that it stays exact
}

/// Notes what the agent adds to what can be used now.
void agent_pool::count_usable(routed_agent& a, bool usable, std::uint32_t limit) {
  auto undeclared = usable && !a.record.limit_declared;
  auto own = usable ? limit - std::min(limit, a.others) : 0;
  usable_ += usable ? 1 : 0;
  usable_ -= std::exchange(a.counted_usable, usable) ? 1 : 0;
  undeclared_ += undeclared ? 1 : 0;
  undeclared_ -= std::exchange(a.counted_undeclared, undeclared) ? 1 : 0;
  total_slots_ += own;
  total_slots_ -= std::exchange(a.counted_own, own);
}

void agent_pool::refresh(routed_agent& a, time_point now) {
  count_limit(a, a.usual_limit(), a.slots());
  count_usable(a, a.usable(now), a.limit(now));
  set_due(a, now);
  if (!a.usable(now))
    return leave(a);
  auto where = rank_(a, now);
  auto free = a.free_slot(now) && !a.gate.closed_until(now);
  if (free && a.free_at != routed_agent::none && a.rank == where.rank)
    return; // it is where it belongs
  leave(a);
  auto& g = *a.group;
  ++g.usable;
  if (free) {
    a.rank = where.rank;
    a.free_at = g.free.size();
    g.free.push_back(&a);
    g.order.insert(&a);
    ++free_;
  } else {
    a.busy_bucket = cost_buckets::of(where.idle_cost);
    a.busy_slots = a.limit(now);
    g.busy[static_cast<std::size_t>(a.busy_bucket)] += a.busy_slots;
  }
}

void agent_pool::set_due(routed_agent& a, time_point now) {
  std::optional<time_point> due;
  auto earlier = [&](time_point at) {
    if (at > now && (!due || at < *due))
      due = at;
  };
  earlier(a.parked_until);
  earlier(a.health.ejected_until());
  if (auto open = a.gate.closed_until(now))
    earlier(*open);
  if (due == a.due)
    return;
  if (a.due)
    dues_.erase({*a.due, &a});
  a.due = due;
  if (due)
    dues_.insert({*due, &a});
}

bool agent_pool::refresh_due(time_point now) {
  auto any = false;
  while (!dues_.empty() && dues_.begin()->first <= now) {
    refresh(*dues_.begin()->second, now);
    any = true;
  }
  return any;
}

void agent_pool::refresh_all(time_point now) {
  for (auto& [key, a] : agents_)
    refresh(a, now);
}

std::optional<agent_pool::time_point> agent_pool::next_due() const {
  return dues_.empty() ? std::nullopt : std::optional{dues_.begin()->first};
}

std::size_t agent_pool::ejected(time_point now) const {
  return static_cast<std::size_t>(
      std::count_if(ejected_.begin(), ejected_.end(),
                    [&](const agent_key& key) { return agents_.at(key).health.ejected(now); }));
}

double agent_pool::mean_limit() const noexcept {
  return agents_.empty() ? 1 : static_cast<double>(limits_) / static_cast<double>(agents_.size());
}

const agent_pool::matches& agent_pool::with(const std::vector<std::string>& skills) const {
  if (auto found = matches_.find(skills); found != matches_.end())
    return found->second;
  if (matches_.size() >= max_matches)
    matches_.clear();
  auto& result = matches_[skills];
  for (auto& [profile, group] : groups_) {
    auto levels = 0;
    auto has = [&levels, &in = profile](const std::string& skill) {
      auto found = std::lower_bound(in.begin(), in.end(), std::pair{skill, 0});
      if (found == in.end() || found->first != skill)
        return false;
      levels += found->second;
      return true;
    };
    if (std::all_of(skills.begin(), skills.end(), has))
      result.push_back({&group, levels / levels_of_lack /
                                    static_cast<double>(std::max<std::size_t>(1, skills.size()))});
  }
  return result;
}

bool agent_pool::any_ready(const std::vector<std::string>& skills) const {
  const auto& all = with(skills);
  return std::any_of(all.begin(), all.end(),
                     [](const auto& each) { return each.group->ready > 0; });
}

void agent_pool::join_group(routed_agent& a) {
  agent_group::profile profile; // in order, as the map is
  auto told_apart = groups_.size() < max_profiles;
  for (const auto& [skill, proficiency] : a.record.skills) {
    auto level = told_apart ? std::lround(lack_of(proficiency) * levels_of_lack) : 0;
    profile.emplace_back(skill, static_cast<int>(level));
    ++skills_[skill];
  }
  auto [found, fresh] = groups_.try_emplace(profile);
  if (fresh) {
    found->second.skills = std::move(profile);
    matches_.clear();
  }
  a.group = &found->second;
  ++a.group->members;
  a.group->ready += a.record.state == agent_state::ready ? 1 : 0;
}

void agent_pool::leave_group(routed_agent& a) {
  for (const auto& [skill, proficiency] : a.record.skills)
    if (auto count = skills_.find(skill); --count->second == 0)
      skills_.erase(count);
  a.group->ready -= a.record.state == agent_state::ready ? 1 : 0;
  if (--a.group->members == 0) {
    matches_.clear();
    groups_.erase(agent_group::profile{a.group->skills});
  }
  a.group = nullptr;
}

void agent_pool::started(routed_agent& a, time_point now) {
  if (a.in_flight++ == 0)
    a.progress_at = now;
  ++in_flight_;
  a.taken_at = ++placements_;
  a.gate.started(now);
  refresh(a, now);
}

void agent_pool::ended(routed_agent& a, time_point now) {
  a.in_flight -= a.in_flight > 0 ? 1 : 0;
  in_flight_ -= in_flight_ > 0 ? 1 : 0;
  a.progress_at = now;
  if (a.in_flight == 0)
    a.idle_since = now;
  a.gate.ended();
  refresh(a, now);
}

void agent_pool::resume(routed_agent& a, std::uint32_t in_flight) {
  a.in_flight = in_flight;
  in_flight_ += in_flight;
}

void agent_pool::set_others(routed_agent& a, std::uint32_t others, time_point now) {
  in_flight_ += others;
  in_flight_ -= a.others;
  others_ += others;
  others_ -= a.others;
  a.in_flight += others;
  a.in_flight -= a.others;
  a.others = others;
  if (a.in_flight == 0)
    a.idle_since = now;
  refresh(a, now);
}

void agent_pool::put_on_ring(routed_agent& a, bool there) {
  const auto& key = a.record.key;
  auto name = (key.node.empty() ? "" : key.node.str() + '/') + to_string(key);
  for (int i = 1; i <= ring_points; ++i) {
    auto at = hash_of(name, static_cast<std::uint64_t>(i));
    if (there)
      ring_.emplace(at, &a);
    else if (auto found = ring_.find(at); found != ring_.end() && found->second == &a)
      ring_.erase(found);
  }
}

const routed_agent*
agent_pool::home_of(const std::string& context,
                    const std::function<bool(const routed_agent&)>& fits) const {
  auto at = ring_.lower_bound(hash_of(context, 0));
  for (int i = 0; i < ring_steps && !ring_.empty(); ++i, ++at) {
    if (at == ring_.end())
      at = ring_.begin();
    if (fits(*at->second))
      return at->second;
  }
  return nullptr;
}

} // namespace rolecall
