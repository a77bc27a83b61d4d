#pragma once

#include "messages/values.hpp"

#include <ext/pb_ds/assoc_container.hpp>
#include <ext/pb_ds/tree_policy.hpp>

#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>
#include <unordered_set>

namespace rolecall {

struct fairness_options {
  /// Of the placements while a higher class waits, to those that wait in lower ones. 0: none.
  double low_share{0.05};
  std::map<std::string, double> weights; ///< by fairness key; whoever is not named has 1
  /// For how long agents are kept free for what others had running: see headroom. 0: they are not.
  millis headroom{10'000};

  double weight_of(const std::string& fairness_key) const {
    auto found = weights.find(fairness_key);
    return found == weights.end() ? 1 : found->second;
  }
};

/// What came of a look at a request: see waiting_line::next.
enum class fit {
  yes,
  no,     ///< nor does any other that needs the same skills and avoids nobody
  wait,   ///< had better wait, as do all of its class; those of another may go
  aside,  ///< waits for one agent: it alone is not looked at, until it is brought back
  held,   ///< its fairness key is at a limit: nothing of the key's goes, until it is released
  greedy, ///< its fairness key is greedy: in this look no such key's of its priority goes
};

/// The requests of one role that wait for an agent. The higher priority goes first; a bounded share
/// goes to the lower ones all the same. Within a class those that were tried before go first, then
/// the fairness keys take turns according to their weights, by stride scheduling (Waldspurger and
/// Weihl 1995): a key that comes back from a pause has saved up nothing. Of one key, the older goes
/// first.
///
/// Cost: logarithmic in the number of requests and keys, linear in that of the sets of skills that
/// are waited for.
class waiting_line {
public:
  explicit waiting_line(fairness_options options = {}) : options_{std::move(options)} {}
  waiting_line(const waiting_line&) = delete;
  waiting_line& operator=(const waiting_line&) = delete;

  void push(placement_request request);
  /// Gives whether the task was waiting here.
  bool remove(const task_id& task);
  void clear();

  bool empty() const noexcept { return where_.empty(); }
  std::size_t size() const noexcept { return where_.size(); }

  /// A look at the line starts anew: what did not fit may fit by now.
  void look_again() { ++look_; }
  /// The request whose turn it is among those for which `fits` says yes; null if there is none.
  const placement_request* next(const std::function<fit(const placement_request&)>& fits);
  /// The request got an agent: its key pays for it, and it leaves the line.
  void taken(const placement_request& request);
  /// The same for one that found the line empty, and has not been in it.
  void passed_by(const placement_request& request);
  /// So many requests of a fairness key may start now, as far as its limits go. To be said again
  /// after each that comes to a key of which none waits. Gives whether `may_start` changes by it.
  bool allow(const std::string& fairness_key, std::size_t count);
  /// Whether one of the key waits.
  bool has_key(const std::string& fairness_key) const { return counts_.contains(fairness_key); }
  /// How many could start if there were agents enough: those that no limit of their key holds.
  std::size_t may_start() const noexcept { return where_.size() - beyond_limits_; }
  /// What was put aside is looked at again; nothing if it was not.
  void bring_back(const task_id& task);
  /// What was held of a fairness key may go again.
  void release(const std::string& fairness_key);
  /// How many wait of a fairness key, in a class, beside those that were tried before or put aside.
  std::size_t waiting_of(std::uint8_t priority, const std::string& fairness_key) const;

  /// How many wait for each set of skills.
  const std::map<std::vector<std::string>, std::size_t>& skill_sets() const noexcept {
    return skill_sets_;
  }
  /// How many of those that need just these skills could go now, of this priority or a higher one:
  /// neither held nor put aside, and not tried before.
  /// @param and_greedy also those of keys that were greedy when they were last looked at
  std::size_t ready(const std::vector<std::string>& skills, std::uint8_t priority,
                    bool and_greedy = true) const;
  /// A request that waits here, and its place in the order, from 1. If more than 4,096 fairness
  /// keys wait in its class it is an estimate: to tell it must not hold up the router.
  struct place {
    const placement_request* request;
    std::size_t position;
  };
  std::optional<place> find(const task_id& task) const;
  void for_each(const std::function<void(const placement_request&)>& visit) const;

private:
  struct rank {
    std::uint64_t age;
    std::uint64_t number;                          // of the push: no two are equal
    auto operator<=>(const rank&) const = default; // NOLINT(modernize-use-nullptr)
  };
  /// A map that knows how many stand before each: what asks for a place must not hold up the router
  /// by counting a hundred thousand. libstdc++ has it, whatever the compiler.
  using ordered_requests =
      __gnu_pbds::tree<rank, placement_request, std::less<>, __gnu_pbds::rb_tree_tag,
                       __gnu_pbds::tree_order_statistics_node_update>;
  using class_and_key = std::pair<std::uint8_t, std::string>;
  struct flow;
  struct lane {
    std::uint8_t priority;
    bool greedy;
    auto operator<=>(const lane&) const = default; // NOLINT(modernize-use-nullptr)
  };
  struct turn { // of a flow: the lowest is next
    double pass;
    rank head;
    flow* of;
    auto operator<=>(const turn&) const = default; // NOLINT(modernize-use-nullptr)
  };
  struct ready_flows {
    std::set<turn> turns;
    std::size_t requests{0};
  };
  /// Those who wait for one set of skills.
  struct skill_line {
    std::map<lane, ready_flows> ready; // none is empty
    std::map<class_and_key, flow> flows;
    std::uint64_t unfit_in_look{0};
  };
  /// A fairness key within a priority class.
  struct key_state {
    double pass{0};
    double stride{1};
    std::size_t waiting{0};
    bool greedy{false}; // when one of its requests was last looked at
    std::set<flow*> flows;
  };
  /// Those of one key and class that wait for one set of skills.
  struct flow {
    skill_line* line{nullptr};
    key_state* key{nullptr};
    std::uint8_t priority{0};
    ordered_requests requests;
    lane ready_lane{};
    std::optional<turn> in_ready{};
    std::size_t ready_requests{0}; // as the line has counted them
  };
  struct class_state {
    std::size_t waiting{0};
    double pass{0};          // of the latest turn
    std::uint64_t served{0}; // number of the placement that was its latest
    std::uint64_t greedy_unfit_in_look{0};
    ordered_requests retries; // that avoid somebody
    ordered_requests aside;
  };
  struct location {
    class_and_key key;
    rank at;
    flow* in; // null: a retry, or put aside
    bool aside{false};
  };

  /// All that wait of a fairness key, and how many of them its limits allow.
  struct key_count {
    std::size_t waiting{0};
    std::size_t allowed{std::numeric_limits<std::size_t>::max()};
    std::size_t beyond() const { return waiting > allowed ? waiting - allowed : 0; }
  };

  template <class Change>
  void recount(std::unordered_map<std::string, key_count>::iterator of, Change change);
  key_state& key_of(const class_and_key& key);
  void join(location& where, placement_request request);
  placement_request leave(location& where);
  void put_aside(const task_id& task);
  void order(flow& f);
  void set_greedy(key_state& key, bool greedy);
  void collect_heads(std::uint8_t priority);
  const placement_request* next_in(std::uint8_t priority,
                                   const std::function<fit(const placement_request&)>& fits);
  const placement_request* next_retry(class_state& of,
                                      const std::function<fit(const placement_request&)>& fits);
  static void pay(key_state& key, class_state& in);
  static const placement_request*
  next_of_other_class(const flow& f, const std::function<fit(const placement_request&)>& fits);
  void hold(const std::string& fairness_key);
  void each_flow(const std::string& fairness_key, const std::function<void(flow&)>& visit);
  void forget_idle_keys();
  const placement_request& request_at(const location& where) const;
  std::size_t position_of(const location& where) const;

  fairness_options options_;
  std::map<std::vector<std::string>, skill_line> lines_;
  std::map<class_and_key, key_state> keys_;
  std::map<std::uint8_t, class_state, std::greater<>> classes_; // the highest first
  std::unordered_map<task_id, location> where_;
  std::map<std::vector<std::string>, std::size_t> skill_sets_;
  std::unordered_set<std::string> held_;
  std::unordered_map<std::string, key_count> counts_; // of those who wait
  std::size_t beyond_limits_{0};
  std::vector<std::pair<std::uint64_t, std::uint8_t>> class_order_; // kept for its memory, as is
  std::vector<turn> heads_;
  double low_credit_{0};
  std::uint64_t pushes_{0};
  std::uint64_t placements_{0};
  std::uint64_t look_{1};
};

} // namespace rolecall
