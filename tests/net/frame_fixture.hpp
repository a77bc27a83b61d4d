#pragma once

#include "net/event_loop.hpp"
#include "net/frame_dial.hpp"
#include "net/frame_listener.hpp"
#include "net/on_loop.hpp"
#include "tests/net/raw_socket.hpp"

#include <catch2/catch.hpp>

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

namespace rolecall::net::test {

/// Things that come from the loop's thread, for the test to wait for.
template <class Item>
class arrivals {
public:
  void put(Item item) {
    std::lock_guard guard{mutex_};
    items_.push_back(std::move(item));
    arrived_.notify_one();
  }

  Item next() {
    std::unique_lock guard{mutex_};
    REQUIRE(arrived_.wait_for(guard, patience, [this] { return !items_.empty(); }));
    auto result = std::move(items_.front());
    items_.pop_front();
    return result;
  }

  std::size_t size() {
    std::lock_guard guard{mutex_};
    return items_.size();
  }

private:
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<Item> items_;
};

/// One end of a link: a stream, and what came out of it. A test holds it for as long as it looks.
struct stream_end {
  std::shared_ptr<frame_stream> stream;
  arrivals<std::string> frames{};
  arrivals<std::string> closed{}; ///< the reasons: never more than one

  /// On the loop's thread. Unless `consumes`, the test says what is consumed.
  static std::shared_ptr<stream_end> start(std::shared_ptr<frame_stream> stream, bool consumes) {
    auto end = std::make_shared<stream_end>();
    end->stream = std::move(stream);
    end->stream->start(
        [weak = std::weak_ptr{end}, consumes](std::string content) {
          auto self = weak.lock();
          if (!self)
            return;
          if (consumes)
            self->stream->consumed(content.size());
          self->frames.put(std::move(content));
        },
        [weak = std::weak_ptr{end}](std::string reason) {
          if (auto self = weak.lock())
            self->closed.put(std::move(reason));
        });
    return end;
  }
};
using end_ptr = std::shared_ptr<stream_end>;

struct refusal {
  std::string remote;
  std::string reason;
};

/// What came of a dial: a link, or why there is none.
struct dialed {
  end_ptr end;
  std::string reason;
};

/// A listener, and dials to it, on a loop of their own.
struct frame_fixture {
  event_loop loop;
  bool consumes{true};
  arrivals<end_ptr> accepted;
  arrivals<refusal> refused;
  arrivals<dialed> dials;
  std::unique_ptr<frame_listener> listener;
  std::unique_ptr<frame_dial> dialing;

  explicit frame_fixture(frame_listener_options options = {}, bool consume = true)
      : consumes{consume} {
    listener = std::make_unique<frame_listener>(
        loop.context(), std::move(options),
        [this](std::shared_ptr<frame_stream> stream) {
          accepted.put(stream_end::start(std::move(stream), consumes));
        },
        [this](std::string remote, std::string reason) {
          refused.put({std::move(remote), std::move(reason)});
        });
  }

  /// To the listener, unless `options` name another port.
  void start_dial(frame_dial_options options = {}) {
    if (options.host.empty())
      options.host = "127.0.0.1";
    if (options.port == 0)
      options.port = listener->port();
    dialing = std::make_unique<frame_dial>(
        loop.context(), std::move(options),
        [this](std::shared_ptr<frame_stream> stream, std::string reason) {
          end_ptr end;
          if (stream)
            end = stream_end::start(std::move(stream), true);
          dials.put({std::move(end), std::move(reason)});
        });
  }

  dialed dial(frame_dial_options options = {}) {
    start_dial(std::move(options));
    return dials.next();
  }

  end_ptr connect(frame_dial_options options = {}) {
    auto result = dial(std::move(options));
    INFO(result.reason);
    REQUIRE(result.end);
    return result.end;
  }

  raw_socket raw() const { return raw_socket::connect(listener->port()); }

  /// Lets the loop go round until `holds` gives true on its thread.
  template <class Condition>
  void wait_until(Condition holds) {
    auto limit = std::chrono::steady_clock::now() + patience;
    bool done = false;
    while (!done) {
      REQUIRE(std::chrono::steady_clock::now() < limit);
      run_on_loop(loop.context(), [&] { done = holds(); });
    }
  }

  /// Lets the loop handle all that has come, and what follows from that.
  void settle() {
    for (int i = 0; i < 10; ++i)
      run_on_loop(loop.context(), [] {});
  }
};

} // namespace rolecall::net::test
