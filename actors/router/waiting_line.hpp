#pragma once

#include "messages/values.hpp"

#include <ext/pb_ds/assoc_container.hpp>
#include <ext/pb_ds/tree_policy.hpp>

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>

namespace rolecall {

/// The requests of one role that wait for an agent: the higher priority goes first, then the older.
class waiting_line {
public:
  struct rank {
    std::uint8_t priority;
    std::uint64_t age;

    bool operator==(const rank&) const = default;
    /// Whether this one goes before the other.
    bool operator<(const rank& other) const {
      return priority != other.priority ? priority > other.priority : age < other.age;
    }
  };

  void push(placement_request request);
  /// Gives whether the task was waiting here.
  bool remove(const task_id& task);

  bool empty() const noexcept { return requests_.empty(); }
  std::size_t size() const noexcept { return requests_.size(); }

  /// The first request, in order, for which `fits` says yes; null if there is none. Of those that
  /// need the same skills and avoid nobody only the first is asked about: if it does not fit, the
  /// others do not either.
  const placement_request* first(const std::function<bool(const placement_request&)>& fits) const;
  /// How many wait for each set of skills.
  const std::map<std::vector<std::string>, std::size_t>& skill_sets() const noexcept {
    return skill_sets_;
  }
  /// A request that waits here, and its place in the order, from 1.
  struct place {
    const placement_request* request;
    std::size_t position;
  };
  std::optional<place> find(const task_id& task) const;
  void for_each(const std::function<void(const placement_request&)>& visit) const;

private:
  /// A map that knows how many stand before each: what asks for a place must not hold up the router
  /// by counting a hundred thousand. libstdc++ has it, whatever the compiler.
  using ordered_requests =
      __gnu_pbds::tree<rank, placement_request, std::less<>, __gnu_pbds::rb_tree_tag,
                       __gnu_pbds::tree_order_statistics_node_update>;

  ordered_requests requests_;
  std::unordered_map<task_id, rank> ranks_;
  std::map<std::vector<std::string>, std::size_t> skill_sets_;
};

} // namespace rolecall
