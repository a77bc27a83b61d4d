// Who gets a request, or whether it had better wait.
#include "actors/router/routed_role.hpp"

#include <cmath>

namespace rolecall {

namespace {

constexpr std::uint32_t few_samples = 4;
constexpr int max_skill_sets_looked_at = 16;
constexpr double much_better = 1.1;
constexpr double line_exponent = 0.1; // of what waits, beside how quickly it is done
constexpr double little_saved = 0.9;  // by a context: not worth a wait

/// The agents that are looked at for a request.
class shortlist {
public:
  shortlist(const placement_request& request, const agent_pool::matches& groups, bool strict,
            std::vector<choice_option>& into)
      : request_{request}, groups_{groups}, strict_{strict}, options_{into} {
    for (const auto& each : groups_)
      free_ += each.group->free.size();
  }

  std::size_t free() const noexcept { return free_; }
  void add(routed_agent* a) {
    auto known = [&](const choice_option& option) { return option.agent == a; };
    if ((strict_ && avoids(request_, a->record.key)) ||
        std::any_of(options_.begin(), options_.end(), known))
      return;
    options_.push_back({a, {}});
  }
  /// So many of the best, by their ranks times what their group's lack makes of it.
  void add_first(std::size_t count, const std::function<double(double)>& factor_of) {
    struct head {
      double cost;
      double factor;
      const agent_group* group;
      decltype(agent_group::order)::const_iterator at;
      bool operator<(const head& other) const { return cost > other.cost; }
    };
    std::vector<head> heads;
    heads.reserve(groups_.size());
    for (const auto& [group, lack] : groups_)
      if (!group->order.empty()) {
        auto factor = factor_of(lack);
        auto at = group->order.begin();
        heads.push_back({(*at)->rank * factor, factor, group, at});
      }
    std::make_heap(heads.begin(), heads.end());
    while (!heads.empty() && count > 0) {
      std::pop_heap(heads.begin(), heads.end());
      auto& best = heads.back();
      auto before = options_.size();
      add(*best.at);
      count -= options_.size() > before ? 1 : 0; // no more are passed over than are avoided
      if (++best.at == best.group->order.end()) {
        heads.pop_back();
      } else {
        best.cost = (*best.at)->rank * best.factor;
        std::push_heap(heads.begin(), heads.end());
      }
    }
  }
  const routed_agent& add_by_lot(std::mt19937_64& chance) {
    auto lot = std::uniform_int_distribution<std::size_t>{0, free_ - 1}(chance);
    auto each = groups_.begin();
    for (; lot >= each->group->free.size(); ++each)
      lot -= each->group->free.size();
    auto* a = each->group->free[lot];
    add(a);
    return *a;
  }

private:
  const placement_request& request_;
  const agent_pool::matches& groups_;
  bool strict_; // none that are to be avoided
  std::vector<choice_option>& options_;
  std::size_t free_{0};
};

} // namespace

routed_role::choice routed_role::choose(const placement_request& request, std::mt19937_64& chance,
                                        time_point now, bool yields) {
  choice result;
  if (pool.free() == 0)
    return result;
  const auto& groups = pool.with(request.skills);
  auto& options = result.options;
  shortlist looked_at{request, groups, request.hedge || has_others(request, groups, now), options};
  if (looked_at.free() == 0)
    return result;
  auto factor_of = [&](double lack) { return policy_->scores() ? skill_factor(lack) : 1; };
  auto [first, drawn] = policy_->to_look_at();
  options.reserve(first + drawn + 1);
  looked_at.add_first(first, factor_of);
  for (std::size_t i = 0; i < drawn; ++i)
    note_load(looked_at.add_by_lot(chance), now);
  if (options.empty())
    looked_at.add_first(1, factor_of); // all that were drawn are to be avoided
  if (options.empty())
    return result;
  if (policy_->scores()) {
    const auto* home = home_of(request, now);
    if (home && home->free_at != routed_agent::none)
      looked_at.add(pool.find(home->record.key));
    auto class_us = latency.class_mean(request.task_class);
    for (auto& option : options) {
      option.terms = score(request, *option.agent, home, class_us, now);
      option.reserved = is_worth_more_elsewhere(request, *option.agent, yields);
    }
  }
  std::stable_sort(options.begin(), options.end(),
                   [&](const auto& a, const auto& b) { return policy_->better(a, b); });
  // What was tried before does not wait: the better ones may be those that it was tried on.
  if (!request.hedge && request.avoid.empty() && policy_->scores() && options_->patience > 0) {
    result.wait_until = worth_waiting_for_home(request, options.front(), now);
    result.aside = result.wait_until.has_value();
    if (!result.aside && (!yields || options.front().reserved))
      result.wait_until = worth_waiting_until(request, options.front(), groups, now);
  }
  if (result.wait_until)
    return result;
  if (yields && policy_->scores() && pool.mean_limit() <= 1)
    put_first_what_can_be_spared(options);
  result.agent = options.front().agent;
  return result;
}

/// The slowest of those that are as likely to succeed as the best one, and know it as well: who
/// leaves room for others leaves them the better agents.
void routed_role::put_first_what_can_be_spared(std::vector<choice_option>& options) {
  const auto best = options.front();
  if (best.terms.affinity > 0)
    return;
  auto spared = std::find_if(options.rbegin(), options.rend(), [&](const choice_option& option) {
    const auto& terms = option.terms;
    return !terms.hot && option.reserved == best.reserved &&
           terms.success >= 0.9 * best.terms.success && terms.skill >= 0.9 * best.terms.skill;
  });
  if (spared != options.rend())
    std::rotate(options.begin(), spared.base() - 1, spared.base());
}

/// Whether there is an agent, be it a busy one, on which the request was not tried before.
bool routed_role::has_others(const placement_request& request, const agent_pool::matches& groups,
                             time_point now) const {
  std::size_t usable = 0;
  for (const auto& each : groups)
    usable += each.group->usable;
  std::size_t avoided = 0;
  for (const auto& key : request.avoid)
    if (auto known = pool.agents().find(key); known != pool.agents().end())
      avoided += known->second.usable(now) && known->second.has(request.skills) ? 1 : 0;
  return usable > avoided;
}

/// Whether those that need other skills, in which the agent is better, want it more: it goes to the
/// skills with the most of how quickly it does them times how many wait to a small power. With any
/// power such a rule keeps up with every load that can be kept up with (MaxWeight, Tassiulas and
/// Ephremides 1992); the smaller it is, the shorter are the lines (Shah and Wischik 2012). What
/// waits because its key is greedy keeps no agent from those that are not.
bool routed_role::is_worth_more_elsewhere(const placement_request& request, const routed_agent& a,
                                          bool yields) const {
  const auto& sets = line.skill_sets();
  if (sets.size() < 2 || request.hedge)
    return false;
  auto pace = [&](const auto& skills) { return 1 / latency.lack_factor(a.lack(skills)); };
  auto weight = [&](double its_pace, const auto& skills, std::size_t least) {
    auto waiting = std::max(least, line.ready(skills, request.priority, yields));
    return its_pace * std::pow(static_cast<double>(waiting), line_exponent);
  };
  auto own_pace = pace(request.skills);
  auto own_weight = weight(own_pace, request.skills, 1);
  auto left = max_skill_sets_looked_at;
  for (auto set = sets.begin(); set != sets.end() && left > 0; ++set, --left) {
    const auto& other = set->first;
    if (other == request.skills || !a.has(other))
      continue;
    auto its_pace = pace(other);
    if (its_pace > much_better * own_pace && weight(its_pace, other, 0) > own_weight)
      return true;
  }
  return false;
}

/// Until when the head of the line had better wait for an agent that is busy, though one is free.
/// If those that need the same skills go to the better agents alone, the last of them is done after
/// `waiting · mean / surplus of the better + class mean · their cost`: the threshold rule for slow
/// servers (Larsen and Agrawala 1983, Lin and Kumar 1984).
std::optional<routed_role::time_point>
routed_role::worth_waiting_until(const placement_request& request, const choice_option& best,
                                 const agent_pool::matches& groups, time_point now) {
  auto work = latency.class_mean(request.task_class);
  const auto& a = *best.agent;
  if (work <= 0 || (a.speed.samples < few_samples && best.terms.success > 0.9))
    return std::nullopt;
  if (best.reserved)
    return held.hold(request.task, worth(best.terms.expected_ms * 1'000), now);
  auto own = idle_cost(request, a, now);
  auto busy = busy_below(own, groups);
  if (busy.slots == 0)
    return std::nullopt;
  // What comes in the meantime has to be done by them as well.
  auto served = served_.find(request.skills);
  auto surplus = busy.rate - (served == served_.end() ? 0 : served->second.at(now));
  if (surplus <= 0)
    return std::nullopt;
  auto waiting = std::max<std::size_t>(1, line.ready(request.skills, request.priority, false));
  auto wait = static_cast<double>(waiting) * latency.mean() / surplus;
  auto better = static_cast<double>(busy.slots) / busy.rate;
  if (wait + work * better >= work * own)
    return std::nullopt;
  return held.hold(request.task, worth(work * (own - better)), now);
}

/// The slots of agents without a free one that would cost the request less, and how many tasks of a
/// mean agent they do together in the time of one.
routed_role::busy_agents routed_role::busy_below(double cost,
                                                 const agent_pool::matches& groups) const {
  busy_agents result;
  for (const auto& [group, lack] : groups) {
    auto factor = latency.lack_factor(lack);
    auto end = cost_buckets::of(cost / factor);
    for (int bucket = 0; bucket < end; ++bucket)
      if (auto count = group->busy[static_cast<std::size_t>(bucket)]; count > 0) {
        result.slots += count;
        result.rate += count / cost_buckets::mean_of(bucket) / factor;
      }
  }
  return result;
}

/// What the request takes on an agent that has nothing else to do, as a multiple of its mean.
double routed_role::idle_cost(const placement_request& request, const routed_agent& a,
                              time_point now) const {
  return policy_->stand(a, 1, now).idle_cost * latency.lack_factor(a.lack(request.skills));
}

/// For how long a request may wait for what gains it so much.
held_tasks::duration routed_role::worth(double gain_us) const {
  return std::chrono::microseconds{
      static_cast<std::int64_t>(std::min(options_->patience * gain_us, 1e12))};
}

/// Until when a request had better wait for the agent that worked on its context last, which takes
/// one task at a time and is busy: if it is expected to be done there sooner than on the best that
/// is free. It is put aside for it then.
std::optional<routed_role::time_point>
routed_role::worth_waiting_for_home(const placement_request& request, const choice_option& best,
                                    time_point now) {
  auto saved = latency.warm_factor();
  const auto* last = request.context_id.empty() || saved > little_saved
                         ? nullptr
                         : contexts.last(request.context_id);
  const auto* home = last ? pool.find(*last) : nullptr;
  if (!home || !home->usable(now) || home->limit(now) != 1 || home->in_flight != 1 ||
      !home->has(request.skills))
    return std::nullopt;
  auto here = best.terms.expected_ms * 1'000;
  auto there = latency.class_mean(request.task_class) * idle_cost(request, *home, now) * saved;
  auto elapsed = std::chrono::duration<double, std::micro>(now - home->progress_at).count();
  auto wait = latency.expected_left(home->expected_us, elapsed) +
              static_cast<double>(held.waiting_for(*last)) * there;
  if (wait + there >= here)
    return std::nullopt;
  return held.put_aside(request.task, *last, worth(here - there), now);
}

} // namespace rolecall
