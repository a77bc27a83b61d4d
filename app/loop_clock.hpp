#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <caf/actor_clock.hpp>
#include <caf/mailbox_element.hpp>
#include <caf/message.hpp>
#include <caf/message_id.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <tuple>

namespace rolecall {

/// The actors' clock on an event loop: timeouts and delayed messages go out from there. May be used
/// from any thread. All it does takes a time that grows with the logarithm of what is pending:
/// CAF's own looks through all timeouts of an actor to find one.
class loop_clock final : public caf::actor_clock, public std::enable_shared_from_this<loop_clock> {
public:
  explicit loop_clock(boost::asio::io_context& loop) : loop_{loop}, timer_{loop} {}

  void set_ordinary_timeout(time_point at, caf::abstract_actor* self, caf::atom_value type,
                            std::uint64_t id) override;
  void set_multi_timeout(time_point at, caf::abstract_actor* self, caf::atom_value type,
                         std::uint64_t id) override;
  void set_request_timeout(time_point at, caf::abstract_actor* self, caf::message_id id) override;
  void cancel_ordinary_timeout(caf::abstract_actor* self, caf::atom_value type) override;
  void cancel_request_timeout(caf::abstract_actor* self, caf::message_id id) override;
  void cancel_timeouts(caf::abstract_actor* self) override;
  void schedule_message(time_point at, caf::strong_actor_ptr receiver,
                        caf::mailbox_element_ptr content) override;
  void schedule_message(time_point at, caf::group target, caf::strong_actor_ptr sender,
                        caf::message content) override;
  /// From here on nothing goes out any more.
  void cancel_all() override;

  /// How many timeouts and messages have not gone out yet.
  std::size_t pending() const;

private:
  enum class kind : std::uint8_t { ordinary, multi, request };
  /// By which a timeout is found: the actor, what it is, and its type or its request.
  using key = std::tuple<caf::actor_id, kind, std::uint64_t, std::uint64_t>;
  struct entry {
    std::function<void()> send;
    std::optional<key> found_by;
  };
  using schedule = std::multimap<time_point, entry>;

  void add(time_point at, std::function<void()> send, std::optional<key> found_by);
  void cancel(const key& from, const key& to);
  /// Has the loop wake up for the first of what is pending. With the mutex held.
  void arm_for(time_point at);
  void set_timer();
  void on_timer();

  boost::asio::io_context& loop_;
  boost::asio::steady_timer timer_; // of the loop's thread
  mutable std::mutex mutex_;
  bool over_{false}; // this and all that follows is guarded by the mutex
  schedule schedule_;
  std::map<key, schedule::iterator> by_key_;
  std::optional<time_point> armed_for_;
};

} // namespace rolecall
