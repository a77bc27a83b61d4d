#pragma once

#include "actors/router/routed_agent.hpp"

#include <array>
#include <functional>
#include <map>
#include <set>
#include <unordered_map>
#include <unordered_set>

namespace rolecall {

/// Costs of agents as multiples of the mean, sorted into buckets of a quarter of a power of two.
struct cost_buckets {
  static constexpr int count = 96;
  static int of(double cost);
  static double mean_of(int bucket);
};

/// Agents of one role that have the same skills, and about the same proficiency in each.
struct agent_group {
  /// Names in order, and how much is lacking: 0 is all that there is, four more are half of it.
  using profile = std::vector<std::pair<std::string, int>>;

  struct by_rank {
    bool operator()(const routed_agent* a, const routed_agent* b) const {
      return a->rank != b->rank ? a->rank < b->rank : a->record.key < b->record.key;
    }
  };

  profile skills;
  std::size_t members{0};
  std::size_t ready{0};                   ///< by their records
  std::size_t usable{0};                  ///< as far as the pool was told
  std::set<routed_agent*, by_rank> order; ///< usable with a free slot, the best first
  std::vector<routed_agent*> free;        ///< the same, for drawing lots
  std::array<std::uint32_t, cost_buckets::count>
      busy{}; ///< slots of usable ones without a free one
};

/// The agents of one role, and who of them could be given something: kept in order, so that nobody
/// has to look at all of them for a decision. Everything costs no more than a logarithm of their
/// number, and is linear in the number of groups: past `max_profiles` of them, agents are told
/// apart by the names of their skills alone.
class agent_pool {
public:
  using time_point = routed_agent::time_point;
  static constexpr std::size_t max_profiles = 64;
  /// A group whose agents have the skills asked for, and what they lack in them: minus the
  /// logarithm of their mean proficiency.
  struct match {
    agent_group* group;
    double lack;
  };
  using matches = std::vector<match>;
  /// The rank of an agent, and its cost if it had nothing to do, as a multiple of the mean.
  struct standing {
    double rank{0};
    double idle_cost{1};
  };
  using rank_function = std::function<standing(const routed_agent&, time_point)>;

  explicit agent_pool(rank_function rank) : rank_{std::move(rank)} {}
  agent_pool(const agent_pool&) = delete;
  agent_pool& operator=(const agent_pool&) = delete;

  routed_agent* find(const agent_key& key);
  /// A new agent, or a known one with another record. `refresh` it after the rest has been set.
  routed_agent& put(const agent_record& record);
  void erase(const agent_key& key);
  /// To be called after each change of an agent.
  void refresh(routed_agent& a, time_point now);
  /// Refreshes those for which time alone has changed something. Gives whether there were any.
  bool refresh_due(time_point now);
  void refresh_all(time_point now);
  std::optional<time_point> next_due() const;

  const std::map<agent_key, routed_agent>& agents() const noexcept { return agents_; }
  std::map<agent_key, routed_agent>& agents() noexcept { return agents_; }
  bool empty() const noexcept { return agents_.empty(); }
  /// How many have a free slot and may be used.
  std::size_t free() const noexcept { return free_; }
  std::size_t ejected(time_point now) const;
  void note_ejection(const agent_key& key) { ejected_.insert(key); }
  /// How many may be used, with a free slot or without.
  std::uint64_t usable() const noexcept { return usable_; }
  /// The slots of those together that other nodes do not hold.
  std::uint64_t total_slots() const noexcept { return total_slots_; }
  /// Whether the services of all of those have said how many attempts they take.
  bool all_declared() const noexcept { return undeclared_ == 0; }
  std::uint64_t in_flight() const noexcept { return in_flight_; }
  /// The same without those of other nodes, as far as these run on agents of other nodes.
  std::uint64_t own_in_flight() const noexcept { return in_flight_ - others_; }
  /// Of those that may be used, in the mean; at least 1.
  double mean_limit() const noexcept;
  /// How many attempts an agent takes at the same time, in the mean of those of which that is
  /// known; of the last of them if there are none any more; 0 if it never was.
  double slots() const noexcept { return slots_; }

  /// Those whose agents have all these skills.
  const matches& with(const std::vector<std::string>& skills) const;
  /// Whether one of those may be used, by its record.
  bool any_ready(const std::vector<std::string>& skills) const;
  bool has_skill(const std::string& skill) const { return skills_.contains(skill); }
  const std::map<std::string, std::size_t>& skills() const noexcept { return skills_; }

  void started(routed_agent& a, time_point now);
  void ended(routed_agent& a, time_point now);
  /// A new agent has attempts all the same. `refresh` it afterwards.
  void resume(routed_agent& a, std::uint32_t in_flight);
  /// Its node says how many attempts other nodes have there.
  void set_others(routed_agent& a, std::uint32_t others, time_point now);

  /// The agent to which a context belongs, among those for which `fits` says yes: the next one on a
  /// ring of hashes. No more than 16 are asked about; null if none of them does.
  const routed_agent* home_of(const std::string& context,
                              const std::function<bool(const routed_agent&)>& fits) const;

private:
  void leave(routed_agent& a);
  void count_limit(routed_agent& a, std::uint32_t limit, double slots);
  void count_usable(routed_agent& a, bool usable, std::uint32_t limit);
  void join_group(routed_agent& a);
  void leave_group(routed_agent& a);
  void set_due(routed_agent& a, time_point now);
  void put_on_ring(routed_agent& a, bool there);

  rank_function rank_;
  std::map<agent_key, routed_agent> agents_;
  // The groups are handed out by answers to questions that change nothing.
  mutable std::map<agent_group::profile, agent_group> groups_;
  mutable std::map<std::vector<std::string>, matches> matches_; // asked for before, bounded
  std::map<std::string, std::size_t> skills_;                   // how many have it
  std::set<std::pair<time_point, routed_agent*>> dues_;
  std::map<std::uint64_t, routed_agent*> ring_;
  std::unordered_set<agent_key> ejected_; // lately: some may be well again
  std::size_t free_{0};
  std::uint64_t usable_{0};
  std::uint64_t undeclared_{0};
  std::uint64_t total_slots_{0};
  std::uint64_t in_flight_{0};
  std::uint64_t others_{0}; // of these: of other nodes, as their agents' nodes say
  std::uint64_t limits_{0}; // of all together
  double slots_sum_{0};     // of those of which they are known
  std::size_t slots_count_{0};
  double slots_{0};
  std::uint64_t placements_{0};
};

} // namespace rolecall
