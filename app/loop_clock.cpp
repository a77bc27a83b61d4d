#include "app/loop_clock.hpp"

#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>

#include <caf/abstract_actor.hpp>
#include <caf/actor_control_block.hpp>
#include <caf/group.hpp>
#include <caf/sec.hpp>
#include <caf/system_messages.hpp>

#include <limits>
#include <vector>

namespace rolecall {

namespace {

constexpr auto last = std::numeric_limits<std::uint64_t>::max();

/// An actor's message to itself. It is kept until then.
template <class Content>
std::function<void()> to_self(caf::abstract_actor* self, caf::message_id id, Content content) {
  return [to = caf::strong_actor_ptr{self->ctrl()}, id, content] {
    to->get()->eq_impl(id, to, nullptr, content);
  };
}

} // namespace

void loop_clock::set_ordinary_timeout(time_point at, caf::abstract_actor* self,
                                      caf::atom_value type, std::uint64_t id) {
  add(at, to_self(self, caf::make_message_id(), caf::timeout_msg{type, id}),
      key{self->id(), kind::ordinary, static_cast<std::uint64_t>(type), 0});
}

void loop_clock::set_multi_timeout(time_point at, caf::abstract_actor* self, caf::atom_value type,
                                   std::uint64_t id) {
  add(at, to_self(self, caf::make_message_id(), caf::timeout_msg{type, id}),
      key{self->id(), kind::multi, static_cast<std::uint64_t>(type), id});
}

void loop_clock::set_request_timeout(time_point at, caf::abstract_actor* self, caf::message_id id) {
  add(at, to_self(self, id, caf::sec::request_timeout),
      key{self->id(), kind::request, id.integer_value(), 0});
}

void loop_clock::cancel_ordinary_timeout(caf::abstract_actor* self, caf::atom_value type) {
  key one{self->id(), kind::ordinary, static_cast<std::uint64_t>(type), 0};
  cancel(one, one);
}

void loop_clock::cancel_request_timeout(caf::abstract_actor* self, caf::message_id id) {
  key one{self->id(), kind::request, id.integer_value(), 0};
  cancel(one, one);
}

void loop_clock::cancel_timeouts(caf::abstract_actor* self) {
  cancel({self->id(), kind::ordinary, 0, 0}, {self->id(), kind::request, last, last});
}

void loop_clock::schedule_message(time_point at, caf::strong_actor_ptr receiver,
                                  caf::mailbox_element_ptr content) {
  // A function has to be copyable, what it sends is not.
  auto held = std::make_shared<caf::mailbox_element_ptr>(std::move(content));
  add(
      at, [receiver, held] { receiver->enqueue(std::move(*held), nullptr); }, std::nullopt);
}

void loop_clock::schedule_message(time_point at, caf::group target, caf::strong_actor_ptr sender,
                                  caf::message content) {
  add(
      at,
      [target, sender, content] {
        target->eq_impl(caf::make_message_id(), sender, nullptr, content);
      },
      std::nullopt);
}

void loop_clock::cancel_all() {
  schedule gone; // destroyed without the mutex: it may hold the last reference to an actor
  std::lock_guard guard{mutex_};
  over_ = true;
  armed_for_.reset();
  by_key_.clear();
  gone.swap(schedule_);
  boost::asio::dispatch(loop_, [self = shared_from_this()] { self->timer_.cancel(); });
}

std::size_t loop_clock::pending() const {
  std::lock_guard guard{mutex_};
  return schedule_.size();
}

void loop_clock::add(time_point at, std::function<void()> send, std::optional<key> found_by) {
  entry replaced;
  std::lock_guard guard{mutex_};
  if (over_)
    return;
  if (found_by)
    if (auto before = by_key_.find(*found_by); before != by_key_.end()) {
      replaced = std::move(before->second->second);
      schedule_.erase(before->second);
      by_key_.erase(before);
    }
  auto added = schedule_.emplace(at, entry{std::move(send), found_by});
  if (found_by)
    by_key_.emplace(*found_by, added);
  if (added == schedule_.begin())
    arm_for(at);
}

void loop_clock::cancel(const key& from, const key& to) {
  std::vector<schedule::node_type> gone;
  std::lock_guard guard{mutex_};
  for (auto each = by_key_.lower_bound(from); each != by_key_.end() && !(to < each->first);
       each = by_key_.erase(each))
    gone.push_back(schedule_.extract(each->second));
}

void loop_clock::arm_for(time_point at) {
  if (armed_for_ && *armed_for_ <= at)
    return; // it looks again then
  armed_for_ = at;
  boost::asio::post(loop_, [self = shared_from_this()] { self->set_timer(); });
}

/// For the earliest that is wanted by now: others may have asked for it since, from other threads.
void loop_clock::set_timer() {
  std::optional<time_point> at;
  {
    std::lock_guard guard{mutex_};
    at = armed_for_;
  }
  if (!at)
    return;
  timer_.expires_at(*at);
  timer_.async_wait([self = shared_from_this()](const boost::system::error_code& canceled) {
    if (!canceled)
      self->on_timer();
  });
}

void loop_clock::on_timer() {
  std::vector<schedule::node_type> due;
  {
    std::lock_guard guard{mutex_};
    armed_for_.reset();
    while (!schedule_.empty() && schedule_.begin()->first <= now()) {
      if (const auto& found_by = schedule_.begin()->second.found_by)
        by_key_.erase(*found_by);
      due.push_back(schedule_.extract(schedule_.begin()));
    }
    if (!schedule_.empty())
      arm_for(schedule_.begin()->first);
  }
  for (auto& each : due)
    each.mapped().send();
}

} // namespace rolecall
