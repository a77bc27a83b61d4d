#include "net/event_loop.hpp"

namespace rolecall::net {

event_loop::event_loop() : work_{context_.get_executor()}, thread_{[this] { context_.run(); }} {}

event_loop::~event_loop() {
  stop();
}

void event_loop::stop() {
  context_.stop();
  if (thread_.joinable())
    thread_.join();
}

} // namespace rolecall::net
