#pragma once

#include <boost/asio/io_context.hpp>

#include <functional>

namespace rolecall::net {

/// Runs `work` on the thread that runs `context`, and returns when it has run.
///
/// - On the loop's own thread it runs at once.
/// - If the loop has been stopped, it runs here: nobody else can be touching the loop's state. So a
///   stop must be complete (`event_loop::stop` has returned), not merely on its way.
/// - Otherwise some thread has to be running the loop, or this waits for one.
void run_on_loop(boost::asio::io_context& context, std::function<void()> work);

} // namespace rolecall::net
