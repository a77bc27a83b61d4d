#include "net/origin_pool.hpp"

#include "net/durations.hpp"
#include "net/request_head.hpp"
#include "net/tls.hpp"

#include <algorithm>
#include <stdexcept>

namespace rolecall::net {

namespace {

/// A connection that is used again sooner is not watched in between: a wait for it costs a system
/// call, and before it is used it is looked at anyway.
constexpr std::chrono::milliseconds watched_after{100};

} // namespace

boost::asio::ssl::context* pool_settings::tls_context() {
  try {
    if (!tls)
      tls = make_tls_client_context({});
  } catch (const std::runtime_error&) {
    return nullptr;
  }
  return &*tls;
}

origin_pool::origin_pool(boost::asio::io_context& context, std::shared_ptr<pool_settings> settings,
                         std::string authority,
                         std::function<void(std::shared_ptr<client_call>, http_result)> ended,
                         std::function<void()> emptied)
    : context_{context},
      settings_{std::move(settings)},
      authority_{std::move(authority)},
      ended_{std::move(ended)},
      emptied_{std::move(emptied)},
      idle_timer_{context} {}

void origin_pool::submit(const std::shared_ptr<client_call>& call) {
  call->place = waiting_.insert(waiting_.end(), call);
  call->waiting = true;
  dispatch();
  if (!call->waiting || waiting_.size() <= settings_->options.max_waiting_per_origin)
    return;
  withdraw(*call);
  ended_(call, http_failure{http_errc::overloaded, std::to_string(waiting_.size()) +
                                                       " calls wait already for one of " +
                                                       std::to_string(connections_) +
                                                       " connections to " + call->target.origin()});
}

http_response origin_pool::withdraw(client_call& call) {
  http_response partial;
  if (call.waiting) {
    call.waiting = false;
    waiting_.erase(call.place);
  } else if (auto connection = std::move(call.connection)) {
    partial = connection->take_partial();
    connection->close();
    --connections_;
    on_slot_free();
  }
  return partial;
}

void origin_pool::close() {
  idle_timer_.cancel();
  for (auto& entry : idle_)
    entry.connection->close();
  connections_ -= idle_.size();
  idle_.clear();
}

void origin_pool::dispatch() {
  while (!waiting_.empty()) {
    auto connection = take_idle();
    if (!connection && connections_ >= settings_->options.max_connections_per_origin)
      return;
    auto call = waiting_.front();
    waiting_.pop_front();
    call->waiting = false;
    if (connection)
      run(call, std::move(connection));
    else
      open(call);
  }
}

origin_pool::connection_ptr origin_pool::take_idle() {
  while (!idle_.empty()) {
    auto connection = std::move(idle_.back().connection);
    idle_.pop_back();
    if (connection->usable())
      return connection;
    connection->close();
    --connections_;
  }
  return nullptr;
}

void origin_pool::open(const std::shared_ptr<client_call>& call) {
  const auto& options = settings_->options;
  ++connections_;
  auto* tls = call->target.scheme == "https" ? settings_->tls_context() : nullptr;
  call->connection =
      std::make_shared<client_connection>(context_, tls, call->target, options.max_head_bytes);
  call->connection->open(call->request.connect_timeout,
                         [self = shared_from_this(), call](std::optional<http_failure> failure) {
                           if (failure)
                             return self->on_outcome(call, {std::move(*failure), false, false});
                           self->run(call, std::move(call->connection));
                         });
}

void origin_pool::run(const std::shared_ptr<client_call>& call, connection_ptr connection) {
  call->connection = std::move(connection);
  call->connection->exchange(
      request_head(call->request, call->target.target, authority_, settings_->options.user_agent),
      call->request, call->started, [self = shared_from_this(), call](exchange_outcome outcome) {
        self->on_outcome(call, std::move(outcome));
      });
}

void origin_pool::on_outcome(const std::shared_ptr<client_call>& call, exchange_outcome outcome) {
  auto connection = std::move(call->connection);
  const auto* failure = std::get_if<http_failure>(&outcome.result);
  auto stale = failure && failure->code == http_errc::connection_lost && connection->used() &&
               !outcome.answer_began;
  if (outcome.reusable)
    keep(std::move(connection));
  else
    --connections_;
  if (stale && !call->repeated) {
    // The slot that has just become free is this call's: it does not wait again.
    call->repeated = true;
    return open(call);
  }
  on_slot_free();
  ended_(call, std::move(outcome.result));
}

void origin_pool::keep(connection_ptr connection) {
  idle_.push_back({std::move(connection), std::chrono::steady_clock::now()});
  start_idle_timer();
}

void origin_pool::on_idle_dead(const client_connection* connection) {
  auto found = std::find_if(idle_.begin(), idle_.end(), [&](const auto& entry) {
    return entry.connection.get() == connection;
  });
  if (found == idle_.end())
    return;
  found->connection->close();
  idle_.erase(found);
  --connections_;
  on_slot_free();
}

std::deque<origin_pool::idle_connection>::iterator origin_pool::first_unwatched() {
  return std::partition_point(idle_.begin(), idle_.end(),
                              [](const auto& entry) { return entry.watched; });
}

void origin_pool::start_idle_timer() {
  if (idle_.empty())
    return;
  auto due = idle_.front().since + bounded(settings_->options.idle_timeout);
  if (auto fresh = first_unwatched(); fresh != idle_.end())
    due = std::min(due, fresh->since + watched_after);
  if (idle_timer_runs_ && idle_timer_.expiry() <= due)
    return;
  idle_timer_runs_ = true;
  idle_timer_.expires_at(due);
  idle_timer_.async_wait([weak = weak_from_this()](auto error) {
    auto self = weak.lock();
    if (error || !self)
      return;
    self->idle_timer_runs_ = false;
    self->look_at_idle();
  });
}

void origin_pool::look_at_idle() {
  auto now = std::chrono::steady_clock::now();
  for (; !idle_.empty() && idle_.front().since + bounded(settings_->options.idle_timeout) <= now;
       --connections_) {
    idle_.front().connection->close();
    idle_.pop_front();
  }
  for (auto entry = first_unwatched(); entry != idle_.end() && entry->since + watched_after <= now;
       ++entry) {
    entry->watched = true;
    entry->connection->watch([weak = weak_from_this(), key = entry->connection.get()] {
      if (auto self = weak.lock())
        self->on_idle_dead(key);
    });
  }
  start_idle_timer();
  on_slot_free();
}

void origin_pool::on_slot_free() {
  dispatch();
  if (connections_ == 0 && waiting_.empty())
    emptied_();
}

} // namespace rolecall::net
