#pragma once

#include "messages/values.hpp"

#include <array>
#include <map>
#include <optional>

namespace rolecall {

/// What a quantity has been within a window of time, to half a window exactly.
class recent_values {
public:
  using time_point = std::chrono::steady_clock::time_point;

  /// It has this value from now on.
  void note(double value, std::chrono::milliseconds window, time_point now);
  double peak() const noexcept { return std::max(previous_, current_); }
  /// Since it is other than 0, the latest counting most.
  double mean() const noexcept { return watched_ > 0 ? sum_ / watched_ : now_; }
  /// Whether it has been other than 0, on and off, for less than a window.
  bool is_young() const noexcept { return young_; }
  /// Less of it counts, though no less than it is now.
  void forgive(double amount) noexcept;
  /// When `note` may forget something.
  time_point next_change(std::chrono::milliseconds window) const { return since_ + window / 2; }
  /// The clock has gone back.
  void no_later_than(time_point now) {
    since_ = std::min(since_, now);
    at_ = std::min(at_, now);
    begun_ = std::min(begun_, now);
  }

private:
  double now_{0};
  double sum_{0};      // weighted by age
  double watched_{0};  // the sum of those weights
  time_point begun_{}; // to be other than 0, after a window in which it was not
  bool young_{true};
  time_point at_{};    // of the last `note`
  double current_{0};  // the most since `since_`
  double previous_{0}; // the most in the half of a window before that
  time_point since_{};
};

/// Keeps slots of a role free for the fairness keys that use less than their share. A task is never
/// taken away from its agent: without this, whoever has more to do than there are slots holds all
/// of them at the moment at which another one's task comes.
///
/// A key is greedy while it has more than twice its share running and waiting, until it is back
/// within it. The greedy ones together leave some slots free for the next tasks of the others: so
/// many that they are seldom all taken before another slot gets free. If the others use a part `p`
/// of the slots in the mean, one more of them is taken before one gets free with a probability of
/// `p`, so that `n` are all taken with one of `p^n` (a birth-death process). With those that they
/// have running that is no more than they had at the same time of late (in their first window one
/// more, while they have that), and above their share only as far as they are below it in the mean:
/// a key that is alone has everything. Of each priority class only what has at least its priority
/// is considered.
///
/// Holds an entry for each key of which something runs, and for the last 4,096 at most of which
/// something has run within the window.
class headroom {
public:
  using time_point = std::chrono::steady_clock::time_point;

  /// Of whose attempts it is.
  struct key {
    std::uint8_t priority{0};
    std::string name;
    auto operator<=>(const key&) const = default; // NOLINT(modernize-use-nullptr)
  };
  /// What it is decided by: the weight of the key, how many tasks it has waiting, and how many
  /// attempts it is of use to have at the same time, on all agents of the role.
  struct situation {
    double weight{1};
    std::size_t waiting{0};
    double slots{0};
  };
  /// How the slots are divided between the greedy and the others.
  struct reserve {
    double others{0}; ///< slots that those who are not greedy have, or that are kept free for them
    double greedy{0}; ///< slots that the greedy have
    bool full{false}; ///< the greedy may have no more
  };

  /// 0: nothing is kept free.
  explicit headroom(std::chrono::milliseconds window) : window_{window} {}

  /// Whether the key has more than its share, as things are.
  bool is_greedy(const key& of, const situation& now_is) const;
  /// What greedy keys of this priority leave to the others; none if there are no others.
  std::optional<reserve> left_to_others(std::uint8_t priority, const situation& now_is) const;

  /// The most that those who are not greedy had of late.
  double most_used(std::uint8_t priority) const {
    return levels_[level_of(priority)].recent_use.peak();
  }

  void started(const key& of, const situation& now_is, time_point now);
  void ended(const key& of, const situation& now_is, time_point now);

  /// Time goes by: what was used long ago is forgotten.
  void follow(time_point now);
  /// When `follow` may change something.
  time_point next_change() const { return levels_[0].recent_use.next_change(window_); }
  void clock_went_back(time_point now);

private:
  struct entry {
    double running{0};
    double counted{0}; // as use of those who are not greedy
    double most{0};    // of that, in this half of the window
    double most_before{0};
    double weight{1};
    bool greedy{false};
  };
  /// Over all keys of at least this priority.
  struct level {
    double use{0};    // by those who are not greedy
    double weight{0}; // of those
    double greedy_running{0};
    double greedy_weight{0};
    recent_values recent_use;
    recent_values recent_weight;
  };
  static constexpr std::size_t priorities = 10;

  static std::size_t level_of(std::uint8_t priority) {
    return std::min<std::size_t>(priority, priorities - 1);
  }
  double share(const key& of, const situation& now_is) const;
  void count(const key& of, entry& e, const situation& now_is, time_point now);
  void add(const key& of, const entry& e, double sign);
  void begin_half();

  std::chrono::milliseconds window_;
  std::map<key, entry> entries_;
  std::size_t idle_{0}; // entries of which nothing runs
  time_point half_since_{};
  std::array<level, priorities> levels_{};
  std::size_t used_levels_{0}; // above them nothing has run yet
};

} // namespace rolecall
