#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace rolecall::net {

/// Looks a host name up and connects to the first of its addresses that answers. Each address gets
/// an equal share of the time that is left, so that a silent one does not eat the time of the
/// others.
///
/// Used on the loop's thread only.
class connector : public std::enable_shared_from_this<connector> {
public:
  using tcp = boost::asio::ip::tcp;
  /// Gets the error of the last address that was tried, or none and the connected socket.
  using handler = std::function<void(boost::system::error_code, tcp::socket)>;

  connector(boost::asio::io_context& context, std::chrono::steady_clock::time_point deadline);

  /// `done` is called once, not from inside `start`, unless `cancel` comes first.
  void start(const std::string& host, std::uint16_t port, handler done);

  /// Closes the socket. `done` is not called any more.
  void cancel();

private:
  void on_resolved(boost::system::error_code error, const tcp::resolver::results_type& found);
  void try_next(boost::system::error_code last_error);
  void on_connected(boost::system::error_code error);
  void finish(boost::system::error_code error);

  std::chrono::steady_clock::time_point deadline_;
  tcp::resolver resolver_;
  tcp::socket socket_;
  boost::asio::steady_timer attempt_timer_;
  bool attempt_timed_out_{false};
  std::vector<tcp::endpoint> endpoints_;
  std::size_t next_{0}; ///< index of the address to try next
  handler done_;        ///< empty once it has been called, or by `cancel`
};

} // namespace rolecall::net
