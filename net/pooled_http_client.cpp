#include "net/pooled_http_client.hpp"

#include "net/http_connection.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>

#include <atomic>
#include <deque>
#include <future>
#include <map>
#include <stdexcept>
#include <unordered_map>

namespace rolecall::net {

namespace asio = boost::asio;

/// Everything but the counter of call ids is touched on the loop's thread only.
class pooled_http_client::impl : public std::enable_shared_from_this<impl> {
public:
  impl(asio::io_context& context, http_client_options options)
      : context_{context}, options_{std::move(options)}, tls_{asio::ssl::context::tls_client} {
    tls_.set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_sslv3 |
                     asio::ssl::context::no_tlsv1 | asio::ssl::context::no_tlsv1_1);
    tls_.set_verify_mode(asio::ssl::verify_peer);
    boost::system::error_code error;
    if (options_.ca_file.empty())
      tls_.set_default_verify_paths(error);
    else
      tls_.load_verify_file(options_.ca_file, error);
    if (error)
      throw std::runtime_error("cannot read the certificates of " + options_.ca_file + ": " +
                               error.message());
  }

  call_id start(http_request request, handler done) {
    auto id = ++last_id_;
    asio::post(context_, [self = shared_from_this(), id, request = std::move(request),
                          done = std::move(done)]() mutable {
      self->begin(id, std::move(request), std::move(done));
    });
    return id;
  }

  void cancel(call_id id) {
    asio::post(context_, [self = shared_from_this(), id] {
      if (auto found = self->calls_.find(id); found != self->calls_.end())
        self->end(found->second, http_failure{http_errc::canceled, "canceled"});
    });
  }

  void shut_down() {
    auto close = [this] {
      closed_ = true;
      while (!calls_.empty())
        end(calls_.begin()->second, http_failure{http_errc::shut_down, "the client is shut down"});
      for (auto& [origin, pool] : origins_)
        for (auto& connection : pool.idle)
          connection->abort();
      origins_.clear();
    };
    if (context_.stopped() || context_.get_executor().running_in_this_thread())
      return close();
    std::promise<void> closed;
    asio::post(context_, [&] {
      close();
      closed.set_value();
    });
    closed.get_future().wait();
  }

private:
  struct call {
    call_id id{0};
    http_request request;
    url to;
    handler done;
    std::shared_ptr<http_connection> connection; // while it has one
    std::optional<asio::steady_timer> deadline;
    std::optional<asio::steady_timer> connect_deadline;
    bool started{false}; // counted in its origin's `busy`
    bool ended{false};
  };
  using call_pointer = std::shared_ptr<call>;
  struct origin_pool {
    std::size_t busy{0};                               // calls that have or make a connection
    std::deque<std::shared_ptr<http_connection>> idle; // the latest used at the back
    std::deque<call_pointer> waiting;                  // may hold calls that have ended
    std::size_t really_waiting{0};
  };

  void begin(call_id id, http_request request, handler done) {
    auto c = std::make_shared<call>();
    c->id = id;
    c->request = std::move(request);
    c->done = std::move(done);
    calls_[id] = c;
    if (closed_)
      return end(c, http_failure{http_errc::shut_down, "the client is shut down"});
    auto parsed = parse_url(c->request.url);
    if (const auto* wrong = std::get_if<std::string>(&parsed))
      return end(c, http_failure{http_errc::invalid_request, *wrong});
    if (auto wrong = unsendable(c->request))
      return end(c, http_failure{http_errc::invalid_request, *wrong});
    c->to = std::get<url>(std::move(parsed));
    start_deadline(c, c->deadline, c->request.timeout, http_errc::timeout,
                   "no answer from " + c->to.authority());
    auto& pool = origins_[c->to.origin()];
    if (pool.busy < options_.max_connections_per_origin)
      return launch(c, pool);
    if (pool.really_waiting >= options_.max_waiting_per_origin)
      return end(c, http_failure{http_errc::overloaded,
                                 "too many calls wait for a connection to " + c->to.authority()});
    ++pool.really_waiting;
    pool.waiting.push_back(c);
  }

  void start_deadline(const call_pointer& c, std::optional<asio::steady_timer>& timer,
                      std::chrono::milliseconds length, http_errc code, const std::string& what) {
    timer.emplace(context_, length);
    timer->async_wait([self = weak_from_this(), c = std::weak_ptr{c}, code,
                       text = what + " within " + std::to_string(length.count()) +
                              " ms"](const boost::system::error_code& error) {
      auto alive = self.lock();
      auto late = c.lock();
      if (!error && alive && late)
        alive->end(late, http_failure{code, text});
    });
  }

  void launch(const call_pointer& c, origin_pool& pool) {
    ++pool.busy;
    c->started = true;
    asio::co_spawn(context_, run(shared_from_this(), c), asio::detached);
  }

  /// Whatever ends the call early (cancel, deadline) aborts the connection and answers at once;
  /// what the coroutine finds out afterwards is dropped by `end`.
  static asio::awaitable<void> run(std::shared_ptr<impl> self, call_pointer c) {
    auto pooled = self->take_idle(c);
    for (;;) {
      if (!pooled && !co_await self->connect(c))
        co_return;
      auto connection = c->connection; // `end` takes the call's own away
      auto result = co_await connection->exchange(c->request, c->to, self->options_.user_agent,
                                                  self->options_.max_head_bytes);
      if (c->ended)
        co_return;
      if (pooled && result.silent) { // it had died while it was idle
        pooled = false;
        connection->abort();
        continue;
      }
      c->connection = nullptr;
      if (result.reusable && !self->closed_)
        self->keep(c->to.origin(), std::move(connection));
      else
        connection->abort();
      self->end(c, std::move(result.result));
      co_return;
    }
  }

  bool take_idle(const call_pointer& c) {
    auto& idle = origins_[c->to.origin()].idle;
    if (c->ended || idle.empty())
      return false;
    c->connection = std::move(idle.back());
    idle.pop_back();
    c->connection->stop_watching();
    return true;
  }

  asio::awaitable<bool> connect(call_pointer c) {
    if (c->ended)
      co_return false;
    c->connection = std::make_shared<http_connection>(context_, tls_);
    auto connection = c->connection;
    start_deadline(c, c->connect_deadline, c->request.connect_timeout, http_errc::connect_failed,
                   "cannot connect to " + c->to.authority() + ": no answer");
    auto failed = co_await connection->connect(c->to);
    if (c->ended)
      co_return false;
    c->connect_deadline.reset();
    if (failed)
      end(c, std::move(*failed));
    co_return !failed;
  }

  void keep(const std::string& origin, std::shared_ptr<http_connection> connection) {
    auto& pool = origins_[origin];
    pool.idle.push_back(connection);
    connection->watch(options_.idle_timeout,
                      [self = weak_from_this(), origin, watched = std::weak_ptr{connection}] {
                        auto alive = self.lock();
                        auto dead = watched.lock();
                        if (!alive || !dead)
                          return;
                        std::erase(alive->origins_[origin].idle, dead);
                        dead->abort();
                        alive->forget_if_unused(origin);
                      });
  }

  void end(call_pointer c, http_result result) {
    if (c->ended)
      return;
    c->ended = true;
    calls_.erase(c->id);
    c->deadline.reset();
    c->connect_deadline.reset();
    if (auto connection = std::exchange(c->connection, nullptr))
      connection->abort();
    auto origin = c->to.origin();
    if (auto pool = origins_.find(origin); pool != origins_.end()) {
      if (c->started)
        --pool->second.busy;
      else if (pool->second.really_waiting > 0)
        --pool->second.really_waiting;
      start_waiting(pool->second);
      forget_if_unused(origin);
    }
    std::exchange(c->done, nullptr)(std::move(result));
  }

  void start_waiting(origin_pool& pool) {
    while (!closed_ && !pool.waiting.empty() && pool.busy < options_.max_connections_per_origin) {
      auto next = std::move(pool.waiting.front());
      pool.waiting.pop_front();
      if (next->ended)
        continue;
      --pool.really_waiting;
      launch(next, pool);
    }
  }

  void forget_if_unused(const std::string& origin) {
    auto pool = origins_.find(origin);
    if (pool != origins_.end() && pool->second.busy == 0 && pool->second.idle.empty() &&
        pool->second.really_waiting == 0)
      origins_.erase(pool);
  }

  asio::io_context& context_;
  http_client_options options_;
  asio::ssl::context tls_;
  std::atomic<call_id> last_id_{0};
  bool closed_{false};
  std::unordered_map<call_id, call_pointer> calls_; // that have not ended
  std::map<std::string, origin_pool> origins_;
};

pooled_http_client::pooled_http_client(asio::io_context& context, http_client_options options)
    : impl_{std::make_shared<impl>(context, std::move(options))} {}

pooled_http_client::~pooled_http_client() {
  shut_down();
}

pooled_http_client::call_id pooled_http_client::start(http_request request, handler done) {
  return impl_->start(std::move(request), std::move(done));
}

void pooled_http_client::cancel(call_id id) {
  impl_->cancel(id);
}

void pooled_http_client::shut_down() {
  impl_->shut_down();
}

} // namespace rolecall::net
