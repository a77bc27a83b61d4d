#include "net/pooled_http_client.hpp"

#include "net/durations.hpp"
#include "net/inbox.hpp"
#include "net/on_loop.hpp"
#include "net/origin_pool.hpp"
#include "net/request_head.hpp"
#include "net/syntax.hpp"

#include <boost/asio/post.hpp>

#include <atomic>
#include <stdexcept>
#include <unordered_map>
#include <utility>

namespace rolecall::net {

namespace {

struct start_order {
  http_client::call_id id;
  http_request request;
  http_client::handler done;
  std::chrono::steady_clock::time_point started; ///< when `start` was called
};

struct cancel_order {
  http_client::call_id id;
};

using order = std::variant<start_order, cancel_order>;

http_failure client_is_shut_down() {
  return {http_errc::shut_down, "the HTTP client has been shut down"};
}

} // namespace

/// All but `next_id_` and the inbox belongs to the loop's thread. What comes from there goes its
/// way at once, what comes from elsewhere through the inbox.
class pooled_http_client::impl : public std::enable_shared_from_this<impl> {
public:
  impl(boost::asio::io_context& context, http_client_options options) : context_{context} {
    if (!is_field_value(options.user_agent))
      throw std::runtime_error{"the user agent has control characters"};
    settings_ = std::make_shared<pool_settings>(pool_settings{std::move(options), std::nullopt});
    if (!settings_->options.ca_file.empty())
      settings_->tls = make_tls_client_context(settings_->options.ca_file);
  }

  void connect_inbox() {
    inbox_ = std::make_shared<inbox<order>>(context_, [weak = weak_from_this()](order next) {
      if (auto self = weak.lock())
        std::visit([&](auto& item) { self->obey(item); }, next);
    });
  }

  call_id start(http_request request, handler done) {
    auto id = next_id_.fetch_add(1, std::memory_order_relaxed);
    start_order item{id, std::move(request), std::move(done), std::chrono::steady_clock::now()};
    if (context_.get_executor().running_in_this_thread()) {
      starting_ = true;
      obey(item);
      starting_ = false;
      return id;
    }
    order next{std::move(item)};
    if (!inbox_->push(std::move(next)))
      boost::asio::post(context_, [done = std::move(std::get<start_order>(next).done)] {
        done(client_is_shut_down());
      });
    return id;
  }

  void cancel(call_id id) { inbox_->push(cancel_order{id}); }

  void shut_down();

private:
  void obey(start_order& item);
  void obey(cancel_order& item);
  void await_deadline(client_call& call);
  void on_deadline(call_id id);
  std::vector<handler> end_all();
  std::shared_ptr<origin_pool> pool_of(const url& target);
  void abandon(call_id id, http_failure why);
  void end(const std::shared_ptr<client_call>& call, http_result result);
  void tell(handler done, http_result result);
  void tell_rest();

  boost::asio::io_context& context_;
  std::shared_ptr<pool_settings> settings_;
  std::shared_ptr<inbox<order>> inbox_;
  std::atomic<call_id> next_id_{1};
  std::unordered_map<call_id, std::shared_ptr<client_call>> calls_;     ///< started and not ended
  std::unordered_map<std::string, std::shared_ptr<origin_pool>> pools_; ///< by origin, none empty
  url latest_;                             ///< whose pool was asked for last
  std::weak_ptr<origin_pool> latest_pool_; ///< that one
  bool starting_{false};                   ///< a caller is in `start`: no handler is called
  std::vector<std::pair<handler, http_result>> untold_; ///< of those that ended in there
  bool ended_{false};
};

void pooled_http_client::impl::obey(start_order& item) {
  if (ended_)
    return tell(std::move(item.done), client_is_shut_down());
  auto parsed = parse_url(item.request.url);
  auto wrong = std::holds_alternative<std::string>(parsed) ? std::get<std::string>(parsed)
                                                           : wrong_with(item.request);
  if (!wrong.empty())
    return tell(std::move(item.done), http_failure{http_errc::invalid_request, std::move(wrong)});
  auto timeout = item.request.timeout = bounded(item.request.timeout);
  item.request.connect_timeout = bounded(item.request.connect_timeout);
  auto call =
      std::make_shared<client_call>(client_call{item.id,
                                                std::move(item.request),
                                                std::get<url>(std::move(parsed)),
                                                std::move(item.done),
                                                item.started,
                                                boost::asio::steady_timer{context_, timeout},
                                                {},
                                                nullptr,
                                                nullptr,
                                                {},
                                                false,
                                                false});
  if (auto& on_data = call->request.on_data)
    on_data = [weak = std::weak_ptr{call}, told = std::move(on_data)](std::string_view piece) {
      if (auto self = weak.lock())
        self->heard = std::chrono::steady_clock::now();
      told(piece);
    };
  await_deadline(*call);
  calls_.emplace(item.id, call);
  call->pool = pool_of(call->target);
  call->pool->submit(call);
}

void pooled_http_client::impl::obey(cancel_order& item) {
  abandon(item.id, {http_errc::canceled, "the call was canceled", {}});
}

void pooled_http_client::impl::await_deadline(client_call& call) {
  call.deadline.async_wait([weak = weak_from_this(), id = call.id](auto error) {
    auto self = weak.lock();
    if (!error && self)
      self->on_deadline(id);
  });
}

void pooled_http_client::impl::on_deadline(call_id id) {
  auto found = calls_.find(id);
  if (found == calls_.end())
    return;
  auto& call = *found->second;
  // A streamed body has come on in the meantime: its silence began later than the call.
  auto silent_until = call.heard + call.request.timeout;
  if (call.request.on_data && silent_until > std::chrono::steady_clock::now()) {
    call.deadline.expires_at(silent_until);
    return await_deadline(call);
  }
  abandon(id, {http_errc::timeout,
               (call.waiting ? "no free connection to " : "no whole answer from ") +
                   call.target.origin() + " within " +
                   std::to_string(call.request.timeout.count()) + " ms",
               {}});
}

void pooled_http_client::impl::abandon(call_id id, http_failure why) {
  auto found = calls_.find(id);
  if (found == calls_.end())
    return;
  auto call = found->second;
  why.partial = call->pool->withdraw(*call);
  end(call, std::move(why));
}

void pooled_http_client::impl::end(const std::shared_ptr<client_call>& call, http_result result) {
  call->deadline.cancel();
  call->pool = nullptr;
  calls_.erase(call->id);
  tell(std::move(call->done), std::move(result));
}

void pooled_http_client::impl::tell(handler done, http_result result) {
  if (!starting_)
    return done(std::move(result));
  untold_.emplace_back(std::move(done), std::move(result));
  if (untold_.size() == 1)
    boost::asio::post(context_, [weak = weak_from_this()] {
      if (auto self = weak.lock())
        self->tell_rest();
    });
}

void pooled_http_client::impl::tell_rest() {
  for (auto& [done, result] : std::exchange(untold_, {}))
    done(std::move(result));
}

std::shared_ptr<origin_pool> pooled_http_client::impl::pool_of(const url& target) {
  if (target.scheme == latest_.scheme && target.host == latest_.host && target.port == latest_.port)
    if (auto pool = latest_pool_.lock())
      return pool;
  auto key = target.origin();
  auto& pool = pools_[key];
  if (!pool) {
    auto ended = [weak = weak_from_this()](const std::shared_ptr<client_call>& call,
                                           http_result result) {
      if (auto self = weak.lock())
        self->end(call, std::move(result));
    };
    auto emptied = [weak = weak_from_this(), key] {
      if (auto self = weak.lock()) {
        self->pools_.erase(key);
        self->latest_pool_.reset(); // it may live on, for whoever is in it
      }
    };
    pool = std::make_shared<origin_pool>(context_, settings_, target.authority(), std::move(ended),
                                         std::move(emptied));
  }
  latest_ = target;
  latest_pool_ = pool;
  return pool;
}

std::vector<http_client::handler> pooled_http_client::impl::end_all() {
  ended_ = true;
  std::vector<handler> handlers;
  for (auto& item : inbox_->close())
    if (auto* start = std::get_if<start_order>(&item))
      handlers.push_back(std::move(start->done));
  for (auto& [done, result] : std::exchange(untold_, {}))
    handlers.push_back(std::move(done));
  auto calls = std::exchange(calls_, {});
  // First those that wait: withdrawing one on a connection would put the next one on another.
  for (auto& [id, call] : calls)
    if (call->waiting)
      call->pool->withdraw(*call);
  for (auto& [id, call] : calls) {
    call->pool->withdraw(*call);
    call->pool = nullptr;
    call->deadline.cancel();
    handlers.push_back(std::move(call->done));
  }
  for (auto& [origin, pool] : std::exchange(pools_, {}))
    pool->close();
  return handlers;
}

void pooled_http_client::impl::shut_down() {
  if (context_.get_executor().running_in_this_thread()) {
    // The caller may hold what a handler wants: it is told once the caller is done.
    for (auto& done : end_all())
      boost::asio::post(context_, [done = std::move(done)] { done(client_is_shut_down()); });
    return;
  }
  run_on_loop(context_, [this] {
    for (auto& done : end_all())
      done(client_is_shut_down());
  });
}

pooled_http_client::pooled_http_client(boost::asio::io_context& context,
                                       http_client_options options)
    : impl_{std::make_shared<impl>(context, std::move(options))} {
  impl_->connect_inbox();
}

pooled_http_client::~pooled_http_client() {
  shut_down();
}

http_client::call_id pooled_http_client::start(http_request request, handler done) {
  return impl_->start(std::move(request), std::move(done));
}

void pooled_http_client::cancel(call_id id) {
  impl_->cancel(id);
}

void pooled_http_client::shut_down() {
  impl_->shut_down();
}

} // namespace rolecall::net
