#pragma once

#include "app/client/event_stream.hpp"
#include "app/client/node_client.hpp"
#include "messages/values.hpp"

#include <boost/asio/steady_timer.hpp>

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace rolecall::client {

/// Follows tasks of a node until all are terminal. It listens to the node's events, asks for each
/// task once it has ended (events do not carry outputs), and for all that are open whenever the
/// node has been away or has lost events. So it survives a restart of the node. Bounded by the
/// tasks that it is given; at most `max_asking` questions are under way.
class task_follower {
public:
  struct listener {
    /// A task has changed: its record, and the node's JSON of it (a summary, or, at its end, the
    /// view). Told once for each change, and nothing after a terminal state.
    std::function<void(const task_record&, const json&)> changed;
    /// A remark for people: the node is away, or back.
    std::function<void(const std::string&)> note;
  };

  /// Begins at once. `known` is what is known of the tasks; they need an id only. `patient` as for
  /// `event_stream`. `node` outlives the follower.
  task_follower(node_client& node, std::vector<task_record> known, bool patient, listener tell);
  ~task_follower();
  task_follower(const task_follower&) = delete;
  task_follower& operator=(const task_follower&) = delete;

  /// The tasks as they are known, in their order.
  const std::vector<task_record>& tasks() const noexcept { return tasks_; }
  std::size_t open() const noexcept { return open_; }
  /// Why nothing more will come, if that is so.
  const std::optional<client_error>& failure() const noexcept;

private:
  /// An answer may be older than what made us ask once more: then it is asked again after it.
  enum class question : std::uint8_t { none, waits, under_way, under_way_and_again };

  void on_connected();
  void on_lost(const std::string& why);
  void on_event(const server_event& event);
  void ask_for_open();
  void ask_for(std::size_t place);
  void pump();
  void on_answer(std::size_t place, node_client::answer answer);
  void take(std::size_t place, task_record record, const json& view);
  void ask_again_later();

  static constexpr std::size_t max_asking = 8;

  node_client& node_;
  listener tell_;
  std::vector<task_record> tasks_;
  std::vector<question> states_; ///< of the question for each task
  std::unordered_map<task_id, std::size_t> places_;
  std::deque<std::size_t> questions_; ///< the tasks whose question waits
  std::size_t asking_{0};
  std::size_t open_{0};
  bool away_{false};
  bool waits_{false}; ///< to ask for the open tasks once more
  std::optional<client_error> failure_;
  boost::asio::steady_timer again_;
  std::shared_ptr<task_follower*> self_; ///< empty once this is gone; answers may come after it
  event_stream stream_;                  ///< last: it tells the others
};

} // namespace rolecall::client
