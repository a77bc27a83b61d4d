#include "app/client/event_stream.hpp"

#include "app/client/refusal.hpp"
#include "net/syntax.hpp"

#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <charconv>
#include <random>

namespace rolecall::client {

namespace {

constexpr millis first_backoff{250};
constexpr millis longest_backoff{10'000};
constexpr millis hello_timeout{10'000};
constexpr millis longest_silence{45'000}; // a node says something every 15 s

/// Ids are numbers that grow.
std::optional<std::uint64_t> number_of(const std::string& id) {
  std::uint64_t value = 0;
  auto [stop, wrong] = std::from_chars(id.data(), id.data() + id.size(), value);
  return wrong == std::errc{} && stop == id.data() + id.size() ? std::optional{value}
                                                               : std::nullopt;
}

} // namespace

class event_stream::impl : public std::enable_shared_from_this<impl> {
public:
  impl(node_client& node, std::string path, bool patient, handlers tell)
      : node_{node},
        path_{std::move(path)},
        patient_{patient},
        tell_{std::move(tell)},
        timer_{node.context()} {}

  void connect();
  void end();
  const std::optional<client_error>& failure() const noexcept { return failure_; }

private:
  void on_data(std::string_view piece);
  void on_hello(const std::string& data);
  void on_event(const server_event& event);
  void on_end(const net::http_result& result);
  void lose(const client_error& why, millis at_least);
  template <class Handler>
  void after(millis wait, Handler handler);

  node_client& node_;
  const std::string path_;
  const bool patient_;
  handlers tell_;
  boost::asio::steady_timer timer_; ///< until the hello has to be there, or the next connection
  std::mt19937 chance_{std::random_device{}()};
  event_parser parser_; ///< of the present connection
  std::optional<net::http_client::call_id> call_;
  std::string last_id_;
  millis backoff_{first_backoff};
  bool ever_connected_{false};
  bool connected_{false};
  bool told_lost_{false};
  std::optional<client_error> failure_;
};

template <class Handler>
void event_stream::impl::after(millis wait, Handler handler) {
  timer_.expires_after(wait);
  timer_.async_wait([weak = weak_from_this(), handler](auto error) {
    auto self = weak.lock();
    if (!error && self)
      handler(*self);
  });
}

void event_stream::impl::connect() {
  parser_ = event_parser{};
  connected_ = false;
  net::headers headers{{"Accept", "text/event-stream"}, {"Cache-Control", "no-store"}};
  if (!last_id_.empty())
    headers.push_back({"Last-Event-ID", last_id_});
  auto weak = weak_from_this();
  call_ = node_.start_stream(
      {.path = path_, .headers = std::move(headers), .silence = longest_silence},
      [weak](std::string_view piece) {
        if (auto self = weak.lock())
          self->on_data(piece);
      },
      [weak](const net::http_result& result) {
        if (auto self = weak.lock())
          self->on_end(result);
      });
  after(hello_timeout, [](impl& self) {
    if (self.call_)
      self.node_.cancel(*self.call_);
  });
}

void event_stream::impl::end() {
  tell_ = {};
  timer_.cancel();
  if (call_)
    node_.cancel(*call_);
}

void event_stream::impl::on_data(std::string_view piece) {
  for (const auto& event : parser_.feed(piece))
    if (event.type == "hello")
      on_hello(event.data);
    else
      on_event(event);
  if (parser_.overflown() && call_)
    node_.cancel(*call_);
}

void event_stream::impl::on_hello(const std::string& data) {
  timer_.cancel();
  backoff_ = parser_.retry().value_or(first_backoff);
  connected_ = ever_connected_ = true;
  told_lost_ = false;
  // Nothing was followed yet: what comes from here on is what must not be lost.
  auto hello = json::parse(data, nullptr, false);
  if (last_id_.empty() && hello.is_object() && hello.contains("last_event_id") &&
      hello["last_event_id"].is_string() && number_of(hello["last_event_id"].get<std::string>()))
    last_id_ = hello["last_event_id"].get<std::string>();
  if (tell_.connected)
    tell_.connected();
}

void event_stream::impl::on_event(const server_event& event) {
  if (event.type != "gap") {
    auto known = number_of(last_id_);
    auto number = number_of(event.id);
    if (number && known && *number <= *known)
      return; // it was here before the connection was lost
    if (number)
      last_id_ = event.id;
  }
  if (tell_.event)
    tell_.event(event);
}

void event_stream::impl::on_end(const net::http_result& result) {
  call_.reset();
  timer_.cancel();
  if (const auto* failure = std::get_if<net::http_failure>(&result)) {
    auto slow = failure->code == net::http_errc::canceled;
    auto why = slow && parser_.overflown() ? client_error{"an event is too large"}
               : slow ? client_error{node_.where() + " does not begin to send events within " +
                                     std::to_string(hello_timeout.count() / 1'000) + " s"}
                      : no_answer(node_.where(), *failure);
    if (failure->code == net::http_errc::invalid_request)
      failure_ = std::move(why);
    else
      lose(why, millis{0});
    return;
  }
  const auto& response = std::get<net::http_response>(result);
  const auto what = "GET " + path_;
  if (response.status / 100 == 2) {
    auto type = net::find_header(response.headers, "Content-Type").value_or("");
    if (!net::same_without_case(type.substr(0, type.find(';')), "text/event-stream"))
      failure_ = not_a_node(what, node_.where(), "it is no stream of events");
    else
      lose(client_error{node_.where() + " has ended the stream of events"}, millis{0});
    return;
  }
  auto why = response.status / 100 == 3
                 ? not_a_node(what, node_.where(), "it redirects to another place")
                 : refusal(what, node_.where(), response);
  if (response.status != 429 && response.status < 500) {
    failure_ = std::move(why); // asking again would not help
    return;
  }
  auto wait = net::parse_retry_after(net::find_header(response.headers, "Retry-After").value_or(""),
                                     std::chrono::system_clock::now());
  lose(why, std::min<millis>(wait.value_or(std::chrono::seconds{0}), longest_backoff));
}

void event_stream::impl::lose(const client_error& why, millis at_least) {
  if (!ever_connected_ && !patient_) {
    failure_ = why;
    return;
  }
  std::string text = why.what();
  if (!std::exchange(told_lost_, true) && tell_.lost)
    tell_.lost(text.substr(0, text.find('\n')));
  // Full jitter: many readers of a node that comes back do not come back together.
  auto wait =
      std::uniform_int_distribution<millis::rep>{backoff_.count() / 4, backoff_.count()}(chance_);
  backoff_ = std::min(backoff_ * 2, longest_backoff);
  after(std::max(millis{wait}, at_least), [](impl& self) { self.connect(); });
}

event_stream::event_stream(node_client& node, std::string path, bool patient, handlers tell)
    : impl_{std::make_shared<impl>(node, std::move(path), patient, std::move(tell))} {
  impl_->connect();
}

event_stream::~event_stream() {
  impl_->end();
}

const std::optional<client_error>& event_stream::failure() const noexcept {
  return impl_->failure();
}

} // namespace rolecall::client
