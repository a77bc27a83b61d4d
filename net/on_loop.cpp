#include "net/on_loop.hpp"

#include <boost/asio/post.hpp>

#include <atomic>
#include <chrono>
#include <future>
#include <memory>

namespace rolecall::net {

namespace {

struct job {
  std::function<void()> work;
  std::atomic<bool> taken{false};
  std::promise<void> done;

  void run() {
    if (taken.exchange(true))
      return;
    work();
    done.set_value();
  }
};

} // namespace

void run_on_loop(boost::asio::io_context& context, std::function<void()> work) {
  if (context.get_executor().running_in_this_thread()) {
    work();
    return;
  }
  auto shared = std::make_shared<job>();
  shared->work = std::move(work);
  auto done = shared->done.get_future();
  if (!context.stopped())
    boost::asio::post(context, [shared] { shared->run(); });
  // The loop may be stopped between the question and the post: ask again now and then.
  static constexpr std::chrono::milliseconds look_again{10};
  do {
    if (context.stopped())
      shared->run();
  } while (done.wait_for(look_again) != std::future_status::ready);
}

} // namespace rolecall::net
