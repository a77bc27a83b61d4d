#include "net/http_server.hpp"

#include "net/durations.hpp"
#include "net/on_loop.hpp"
#include "net/server_connection.hpp"
#include "net/tcp_acceptor.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <unordered_map>
#include <utility>
#include <vector>

namespace rolecall::net {

namespace asio = boost::asio;
using std::chrono::steady_clock;
using tcp = asio::ip::tcp;

/// Belongs to the loop's thread once it has been started.
class http_server::impl : public std::enable_shared_from_this<impl> {
public:
  impl(asio::io_context& context, std::shared_ptr<tcp_acceptor> acceptor,
       http_server_options options, std::shared_ptr<server_load> load, handler handle)
      : context_{context},
        acceptor_{std::move(acceptor)},
        patience_{context},
        host_{std::make_shared<connection_host>()} {
    if (options.tls)
      host_->tls = make_tls_server_context(options.tls->certificate, options.tls->key);
    host_->options = std::move(options);
    host_->load = std::move(load);
    host_->handle = std::make_shared<handler>(std::move(handle));
    host_->inbox = std::make_shared<server_inbox>(context, &impl::deliver);
  }

  void start() {
    host_->ended = [weak = weak_from_this()](server_connection& connection) {
      if (auto self = weak.lock())
        self->on_ended(connection);
    };
    asio::post(context_, [self = shared_from_this()] { self->accept(); });
  }

  std::uint16_t port() const noexcept { return acceptor_->port(); }
  const tcp_acceptor& acceptor() const noexcept { return *acceptor_; }
  const http_server_options& options() const noexcept { return host_->options; }
  const std::shared_ptr<server_load>& load() const noexcept { return host_->load; }

  void post_close(std::chrono::milliseconds patience, std::function<void()> closed) {
    asio::post(context_,
               [self = shared_from_this(), patience, closed = std::move(closed)]() mutable {
                 self->close(patience, std::move(closed));
               });
  }

  /// For the destructor: after it, nothing calls the handler or touches the loop.
  void shut() {
    run_on_loop(context_, [this] { end(); });
  }

private:
  void close(std::chrono::milliseconds patience, std::function<void()> closed);
  void end();
  static void deliver(server_inbox::item_type item);
  static void obey(answer& item);
  static void obey(disconnect_watch& item);
  static void obey(body_order& item);
  static void obey(stream_head& item);
  static void obey(stream_part& item);
  static void obey(stream_abort& item);
  static void obey(drain_watch& item);
  bool take_place();
  void make_room();
  void accept();
  void on_accept(tcp::socket socket);
  void on_ended(server_connection& connection);
  void close_all();
  void report_if_closed();

  asio::io_context& context_;
  std::shared_ptr<tcp_acceptor> acceptor_;
  asio::steady_timer patience_; ///< of a graceful close
  std::shared_ptr<connection_host> host_;
  bool closing_{false};
  std::vector<std::function<void()>> closed_; ///< callbacks of `close` that have not been called
  std::unordered_map<server_connection*, std::shared_ptr<server_connection>> connections_;
};

void http_server::impl::deliver(server_inbox::item_type item) {
  std::visit([](auto& order) { obey(order); }, item);
}

void http_server::impl::obey(answer& item) {
  if (auto connection = item.connection.lock())
    connection->respond(item.fault ? connection->refusal(500, "internal_error", item.fault)
                                   : std::move(item.response));
}

void http_server::impl::obey(disconnect_watch& item) {
  if (item.state->answered && !item.state->stream_open)
    return;
  item.state->on_gone = std::move(item.gone);
  if (item.state->gone)
    item.state->disconnect();
}

void http_server::impl::obey(body_order& item) {
  if (item.whole)
    item.next({body_piece::state::end, std::move(*item.whole)});
  else if (auto connection = item.connection.lock())
    connection->read_body(std::move(item));
  else
    item.next({body_piece::state::broken, {}});
}

void http_server::impl::obey(stream_head& item) {
  if (item.state->gone)
    item.state->disconnect();
  else if (auto connection = item.connection.lock())
    connection->begin_stream(item);
}

void http_server::impl::obey(stream_part& item) {
  if (auto connection = item.connection.lock())
    connection->write_part(std::move(item));
}

void http_server::impl::obey(stream_abort& item) {
  if (auto connection = item.connection.lock())
    connection->abort(item);
}

void http_server::impl::obey(drain_watch& item) {
  if (!item.state->stream_open)
    return;
  if (item.state->backlog <= item.bytes)
    return item.call();
  item.state->drained_at = item.bytes;
  item.state->on_drained = std::move(item.call);
}

void http_server::impl::accept() {
  acceptor_->start([weak = weak_from_this()](tcp::socket socket) {
    if (auto self = weak.lock())
      self->on_accept(std::move(socket));
  });
}

void http_server::impl::on_accept(tcp::socket socket) {
  if (!take_place()) {
    make_room();
    if (!take_place())
      return;
  }
  auto connection = std::make_shared<server_connection>(std::move(socket), host_);
  connections_.emplace(connection.get(), connection);
  connection->start();
}

/// Counts a connection more, if there may be one: others of the address are on other loops.
bool http_server::impl::take_place() {
  auto& count = host_->load->connections;
  auto now_is = count.load();
  while (now_is < host_->options.max_connections)
    if (count.compare_exchange_weak(now_is, now_is + 1))
      return true;
  return false;
}

/// Ends some of the connections that have been silent the longest: several, so that the look at all
/// of them is worth it.
void http_server::impl::make_room() {
  using entry = std::pair<steady_clock::time_point, std::shared_ptr<server_connection>>;
  std::vector<entry> silent;
  for (auto& [key, connection] : connections_)
    if (auto since = connection->silent_since())
      silent.emplace_back(*since, connection);
  auto count = std::min(silent.size(), std::max<std::size_t>(1, connections_.size() / 100));
  std::partial_sort(silent.begin(), silent.begin() + static_cast<std::ptrdiff_t>(count),
                    silent.end(), [](const entry& a, const entry& b) { return a.first < b.first; });
  for (std::size_t i = 0; i < count; ++i)
    silent[i].second->close();
}

void http_server::impl::on_ended(server_connection& connection) {
  host_->load->connections -= connections_.erase(&connection);
  report_if_closed();
}

void http_server::impl::close(std::chrono::milliseconds patience, std::function<void()> closed) {
  if (closed)
    closed_.push_back(std::move(closed));
  auto limit = steady_clock::now() + bounded(patience);
  if (!closing_ || limit < patience_.expiry()) {
    patience_.expires_at(limit);
    patience_.async_wait([weak = weak_from_this()](auto error) {
      auto self = weak.lock();
      if (!error && self)
        self->close_all();
    });
  }
  if (!closing_) {
    closing_ = true;
    acceptor_->close();
    // A copy: those that are idle end at once, and leave the map.
    for (auto& [key, connection] : std::unordered_map{connections_})
      connection->drain();
  }
  report_if_closed();
}

void http_server::impl::close_all() {
  for (auto& [key, connection] : std::unordered_map{connections_})
    connection->close();
}

void http_server::impl::report_if_closed() {
  if (!closing_ || !connections_.empty())
    return;
  patience_.cancel();
  for (auto& closed : std::exchange(closed_, {}))
    closed();
}

void http_server::impl::end() {
  close(std::chrono::milliseconds{0}, nullptr);
  close_all();
  for (auto& item : host_->inbox->close())
    deliver(std::move(item));
  host_->handle = nullptr;
  host_->ended = nullptr;
}

http_server::http_server(asio::io_context& context, http_server_options options, handler handle) {
  auto acceptor = std::make_shared<tcp_acceptor>(context, options.address, options.port);
  impl_ = std::make_shared<impl>(context, std::move(acceptor), std::move(options),
                                 std::make_shared<server_load>(), std::move(handle));
  impl_->start();
}

http_server::http_server(asio::io_context& context, const http_server& other, handler handle)
    : impl_{std::make_shared<impl>(
          context, std::make_shared<tcp_acceptor>(context, other.impl_->acceptor()),
          other.impl_->options(), other.impl_->load(), std::move(handle))} {
  impl_->start();
}

http_server::~http_server() {
  impl_->shut();
}

std::uint16_t http_server::port() const noexcept {
  return impl_->port();
}

void http_server::close(std::chrono::milliseconds patience, std::function<void()> closed) {
  impl_->post_close(patience, std::move(closed));
}

} // namespace rolecall::net
