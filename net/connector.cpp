#include "net/connector.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>

namespace rolecall::net {

connector::connector(boost::asio::io_context& context,
                     std::chrono::steady_clock::time_point deadline)
    : deadline_{deadline}, resolver_{context}, socket_{context}, attempt_timer_{context} {}

void connector::start(const std::string& host, std::uint16_t port, handler done) {
  done_ = std::move(done);
  boost::system::error_code not_an_address;
  auto address = boost::asio::ip::make_address(host, not_an_address);
  if (!not_an_address) {
    endpoints_.emplace_back(address, port);
    boost::asio::post(socket_.get_executor(), [self = shared_from_this()] { self->try_next({}); });
    return;
  }
  // No `address_configured`: with nothing but a loopback device it hides what localhost resolves
  // to.
  resolver_.async_resolve(host, std::to_string(port), tcp::resolver::numeric_service,
                          [self = shared_from_this()](auto error, const auto& found) {
                            self->on_resolved(error, found);
                          });
}

void connector::cancel() {
  done_ = nullptr;
  resolver_.cancel();
  attempt_timer_.cancel();
  boost::system::error_code ignored;
  socket_.close(ignored);
}

void connector::on_resolved(boost::system::error_code error,
                            const tcp::resolver::results_type& found) {
  if (error)
    return finish(error);
  for (const auto& entry : found)
    endpoints_.push_back(entry.endpoint());
  try_next(boost::asio::error::host_not_found);
}

void connector::try_next(boost::system::error_code last_error) {
  if (!done_)
    return;
  if (next_ == endpoints_.size())
    return finish(last_error);
  boost::system::error_code ignored;
  socket_.close(ignored);
  auto now = std::chrono::steady_clock::now();
  auto left = std::max(deadline_ - now, std::chrono::steady_clock::duration::zero());
  attempt_timer_.expires_at(now + left / static_cast<long>(endpoints_.size() - next_));
  attempt_timed_out_ = false;
  attempt_timer_.async_wait([self = shared_from_this(), attempt = next_](auto error) {
    if (error || attempt + 1 != self->next_ || !self->done_)
      return;
    self->attempt_timed_out_ = true;
    self->socket_.close(error);
  });
  socket_.async_connect(endpoints_[next_++],
                        [self = shared_from_this()](auto error) { self->on_connected(error); });
}

void connector::on_connected(boost::system::error_code error) {
  if (!done_)
    return;
  if (attempt_timed_out_)
    return try_next(boost::asio::error::timed_out);
  if (error)
    return try_next(error);
  socket_.set_option(tcp::no_delay{true}, error);
  finish({});
}

void connector::finish(boost::system::error_code error) {
  attempt_timer_.cancel();
  if (auto done = std::exchange(done_, nullptr))
    done(error, std::move(socket_));
}

} // namespace rolecall::net
