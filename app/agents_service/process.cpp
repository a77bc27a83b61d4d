#include "app/agents_service/process.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>

#include <array>
#include <cerrno>

#include <unistd.h>

namespace rolecall::agents {

namespace asio = boost::asio;
using boost::system::error_code;

process::process(asio::io_context& context, const spawned& child, std::string mark,
                 process_handlers handlers)
    : pid_{child.pid},
      mark_{std::move(mark)},
      handlers_{std::move(handlers)},
      input_{context, child.input},
      output_{context, child.output},
      error_{context, child.error},
      kill_timer_{context} {}

void process::start_reading() {
  read_when_ready(output_, &process::deliver);
  read_when_ready(error_, &process::keep_error);
}

/// Waits and then reads by itself, so that no bytes are on their way in a handler that is still to
/// be run when `finish` reads the rest.
void process::read_when_ready(asio::posix::stream_descriptor& from, sink take) {
  from.async_wait(asio::posix::stream_descriptor::wait_read,
                  [self = shared_from_this(), &from, take](const error_code& failed) {
                    if (failed || !from.is_open())
                      return;
                    auto size = self->read_some(from, take);
                    auto more = size > 0 || (size < 0 && errno == EAGAIN);
                    if (more && from.is_open())
                      self->read_when_ready(from, take);
                  });
}

ssize_t process::read_some(asio::posix::stream_descriptor& from, sink take) {
  std::array<char, 65'536> buffer;
  auto size = ::read(from.native_handle(), buffer.data(), buffer.size());
  if (size > 0)
    (this->*take)({buffer.data(), static_cast<std::size_t>(size)});
  return size;
}

void process::deliver(std::string_view bytes) {
  if (!bytes.empty() && !terminating_ && handlers_.output)
    handlers_.output(bytes);
}

void process::keep_error(std::string_view bytes) {
  error_tail_ += bytes;
  if (error_tail_.size() > max_error_bytes)
    error_tail_.erase(0, error_tail_.size() - max_error_bytes);
}

std::string process::error_text() const {
  return error_tail_.substr(0, error_tail_.find_last_not_of(" \t\r\n") + 1);
}

void process::write(const std::string& bytes) {
  queued_ += bytes;
  if (writing_.empty())
    write_next();
}

void process::close_input() {
  end_of_input_ = true;
  if (writing_.empty())
    write_next();
}

void process::write_next() {
  error_code ignored;
  if (!input_.is_open())
    return;
  if (queued_.empty()) {
    if (end_of_input_)
      input_.close(ignored);
    return;
  }
  writing_ = std::move(queued_);
  queued_.clear();
  asio::async_write(input_, asio::buffer(writing_),
                    [self = shared_from_this()](const error_code& failed, std::size_t) {
                      self->writing_.clear();
                      if (!failed)
                        return self->write_next();
                      // It does not want its input (EPIPE), which is its own affair.
                      error_code ignored;
                      self->input_.close(ignored);
                    });
}

void process::abandon() {
  error_code ignored;
  terminating_ = true;
  input_.close(ignored);
  output_.close(ignored);
}

void process::finish(exit_status status) {
  ended_ = true;
  kill_timer_.cancel();
  // What the process wrote before it ended is in the pipes. We do not wait for their end: somebody
  // who got away may hold them open. The bound is there for one who also keeps writing.
  constexpr int most_reads = 64;
  for (int i = 0; i < most_reads && output_.is_open(); ++i)
    if (read_some(output_, &process::deliver) <= 0)
      break;
  for (int i = 0; i < most_reads; ++i)
    if (read_some(error_, &process::keep_error) <= 0)
      break;
  error_code ignored;
  error_.close(ignored);
  abandon();
  auto handlers = std::move(handlers_);
  handlers_ = {};
  if (handlers.ended)
    handlers.ended(status);
}

} // namespace rolecall::agents
