#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <deque>
#include <functional>
#include <iterator>
#include <memory>
#include <mutex>
#include <utility>

namespace rolecall::net {

/// Carries items from any thread to the loop's thread, in order; many items wake the loop once.
///
/// Once `close` has returned, the `io_context` is not touched any more: whoever still holds an
/// inbox may outlive the loop. The number of items is bounded by what their senders may have under
/// way.
template <class Item>
class inbox : public std::enable_shared_from_this<inbox<Item>> {
public:
  using item_type = Item;

  /// `consume` is called on the loop's thread, with one item at a time, until `close`.
  inbox(boost::asio::io_context& context, std::function<void(Item)> consume)
      : context_{context}, consume_{std::move(consume)} {}

  /// Whether the item was taken; false after `close`, and then `item` is as it was. Any thread.
  bool push(Item&& item) {
    std::lock_guard guard{mutex_};
    if (closed_)
      return false;
    items_.push_back(std::move(item));
    if (items_.size() == 1)
      boost::asio::post(context_, [self = this->shared_from_this()] { self->drain(); });
    return true;
  }

  /// Refuses what comes from now on and gives what has not been consumed. On the loop's thread, or
  /// when the loop has ended.
  std::deque<Item> close() {
    std::lock_guard guard{mutex_};
    closed_ = true;
    auto rest = std::exchange(batch_, {});
    std::move(items_.begin(), items_.end(), std::back_inserter(rest));
    items_.clear();
    return rest;
  }

private:
  void drain() {
    {
      std::lock_guard guard{mutex_};
      batch_.swap(items_);
    }
    // Consuming an item may close the inbox, which takes the rest of the batch away.
    while (!batch_.empty()) {
      auto item = std::move(batch_.front());
      batch_.pop_front();
      consume_(std::move(item));
    }
  }

  boost::asio::io_context& context_;
  std::function<void(Item)> consume_;
  std::mutex mutex_;
  std::deque<Item> items_; ///< guarded by mutex_, as is closed_
  bool closed_{false};
  std::deque<Item> batch_; ///< being consumed; touched by the loop's thread only
};

} // namespace rolecall::net
