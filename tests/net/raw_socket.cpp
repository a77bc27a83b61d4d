#include "tests/net/raw_socket.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <stdexcept>
#include <utility>

namespace rolecall::net::test {

namespace {

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

[[noreturn]] void fail(const std::string& what) {
  throw std::runtime_error{what};
}

bool wait_for(int descriptor, short events, std::chrono::milliseconds limit) {
  pollfd entry{descriptor, events, 0};
  return ::poll(&entry, 1, static_cast<int>(limit.count())) > 0;
}

int listen_on_loopback(std::uint16_t& port) {
  auto descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  auto address = loopback(0);
  socklen_t size = sizeof address;
  if (::bind(descriptor, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      ::listen(descriptor, 128) != 0 ||
      ::getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &size) != 0)
    fail("cannot listen");
  port = ntohs(address.sin_port);
  return descriptor;
}

} // namespace

raw_socket::raw_socket(raw_socket&& other) noexcept
    : descriptor_{std::exchange(other.descriptor_, -1)}, unread_{std::move(other.unread_)} {}

raw_socket raw_socket::connect(std::uint16_t port, int receive_buffer) {
  raw_socket result{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  if (receive_buffer > 0)
    ::setsockopt(result.descriptor_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
  auto address = loopback(port);
  if (::connect(result.descriptor_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
    fail("cannot connect");
  return result;
}

void raw_socket::send(std::string_view bytes) {
  if (send_until_closed(bytes, 1) != bytes.size())
    fail("the peer has closed");
}

std::size_t raw_socket::send_until_closed(std::string_view bytes, std::size_t times) {
  std::size_t sent = 0;
  while (sent < bytes.size() * times) {
    if (!wait_for(descriptor_, POLLOUT, patience))
      fail("the peer does not take any more");
    auto rest = bytes.substr(sent % bytes.size());
    auto count = ::send(descriptor_, rest.data(), rest.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count < 0)
      return sent;
    sent += static_cast<std::size_t>(count);
  }
  return sent;
}

bool raw_socket::fill() {
  if (!wait_for(descriptor_, POLLIN, patience))
    fail("nothing comes; so far: " + unread_);
  std::array<char, 16384> bytes{};
  auto count = ::recv(descriptor_, bytes.data(), bytes.size(), 0);
  if (count > 0)
    unread_.append(bytes.data(), static_cast<std::size_t>(count));
  return count > 0;
}

std::string raw_socket::read_until(std::string_view mark) {
  auto at = unread_.find(mark);
  for (; at == std::string::npos; at = unread_.find(mark))
    if (!fill())
      fail("closed before the mark; so far: " + unread_);
  return read(at + mark.size());
}

std::string raw_socket::read(std::size_t count) {
  while (unread_.size() < count)
    if (!fill())
      fail("closed too early; so far: " + unread_);
  auto result = unread_.substr(0, count);
  unread_.erase(0, count);
  return result;
}

std::string raw_socket::read_to_end() {
  while (fill()) {
  }
  return std::exchange(unread_, {});
}

std::string raw_socket::read_response() {
  auto head = read_until("\r\n\r\n");
  static constexpr std::string_view name = "Content-Length: ";
  auto at = head.find(name);
  if (at == std::string::npos)
    return head;
  return head + read(std::stoul(head.substr(at + name.size())));
}

bool raw_socket::closes_within(std::chrono::milliseconds limit) {
  auto end = std::chrono::steady_clock::now() + limit;
  while (true) {
    auto left =
        std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
    if (left.count() < 0 || !wait_for(descriptor_, POLLIN, left))
      return false;
    if (!fill())
      return true;
  }
}

void raw_socket::finish_sending() {
  ::shutdown(descriptor_, SHUT_WR);
}

void raw_socket::reset() {
  linger hard{1, 0};
  ::setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  close();
}

void raw_socket::close() {
  if (auto descriptor = std::exchange(descriptor_, -1); descriptor >= 0)
    ::close(descriptor);
}

raw_server::raw_server(script serve)
    : serve_{std::move(serve)}, descriptor_{listen_on_loopback(port_)}, acceptor_{[this] {
        accept_all();
      }} {}

raw_server::~raw_server() {
  ::shutdown(descriptor_, SHUT_RDWR);
  acceptor_.join();
  ::close(descriptor_);
  for (auto& connection : connections_)
    connection.join();
}

void raw_server::accept_all() {
  while (true) {
    auto descriptor = ::accept4(descriptor_, nullptr, nullptr, SOCK_CLOEXEC);
    if (descriptor < 0)
      return;
    auto number = accepted_++;
    connections_.emplace_back([this, descriptor, number] {
      raw_socket socket{descriptor};
      try {
        serve_(socket, number);
      } catch (const std::runtime_error&) {
        // The client went away, or never came: its own test says whether that is right.
      }
    });
  }
}

std::string raw_server::url(std::string_view target) const {
  return "http://127.0.0.1:" + std::to_string(port_) + std::string{target};
}

std::uint16_t unused_port() {
  std::uint16_t port = 0;
  ::close(listen_on_loopback(port));
  return port;
}

} // namespace rolecall::net::test
