#include "net/event_loop.hpp"

namespace rolecall::net {

event_loop::event_loop()
    : work_{boost::asio::make_work_guard(context_)}, thread_{[this] { context_.run(); }} {}

event_loop::~event_loop() {
  stop();
}

void event_loop::stop() {
  work_.reset();
  context_.stop();
  if (thread_.joinable())
    thread_.join();
}

} // namespace rolecall::net
