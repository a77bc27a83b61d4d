#include "app/served_node.hpp"

#include "app/api/routes.hpp"
#include "net/address.hpp"
#include "net/on_loop.hpp"

#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

#include <future>

namespace rolecall {

namespace {

/// The server's own refusals, in the form of all the others. Its codes are in errors.json too.
net::http_response refusal(unsigned, std::string_view code, std::string_view message) {
  if (code == "body_too_large")
    code = "too_large";
  return api::to_response({std::string{code}, std::string{message}, {}, {}});
}

bool is_missing_ipv6(const boost::system::system_error& error) {
  return error.code() == boost::asio::error::address_family_not_supported ||
         error.code() == boost::system::errc::address_not_available;
}

} // namespace

served_node::served_node(const config& settings, token_set tokens, opened_journal journal)
    : tokens_{std::make_shared<shared_tokens>(std::move(tokens))}, node_{settings, journal} {
  api::api_settings about;
  about.node = settings.node;
  about.tokens = tokens_;
  about.max_tasks = settings.coordinator.max_tasks;
  about.max_waited_tasks = settings.coordinator.retain_tasks;
  about.unix_offset = node_.unix_offset();
  about.first_event = node_.first_event();
  about.forgotten_event =
      journal.content ? journal.content->forgotten_event : node_.first_event() - 1;
  about.version = ROLECALL_VERSION;
  // Where its callers are, so that what they say is read there too.
  net::run_on_loop(node_.callers_loops().front()->context(), [&] {
    api_ = system().spawn(api::api,
                          api::api_peers{node_.registry(), node_.router(), node_.manager(),
                                         node_.tasks(), node_.journal(), node_.cluster()},
                          std::move(about));
  });
  if (!settings.node.otlp_url.empty())
    exporter_ = system().spawn(
        trace_exporter, node_.coordinator(), node_.client(),
        trace_exporter_options{settings.node.otlp_url, settings.node.name, ROLECALL_VERSION});
  try {
    // Whoever reaches the node finds all that it has kept.
    caf::scoped_actor self{system()};
    self->request(api_, caf::infinite, atom::checked_v).receive([](bool) {}, [](caf::error&) {});
    listen(settings.node.api);
  } catch (...) {
    end_actors();
    throw;
  }
}

served_node::~served_node() {
  constexpr millis patience{500}; // streams of events do not end by themselves
  std::vector<std::future<void>> closed;
  for (auto& server : servers_) {
    auto done = std::make_shared<std::promise<void>>();
    closed.push_back(done->get_future());
    server->close(patience, [done] { done->set_value(); });
  }
  for (auto& each : closed)
    each.wait_for(2 * patience);
  servers_.clear();
  end_actors();
}

void served_node::end_actors() {
  caf::anon_send_exit(api_, caf::exit_reason::user_shutdown);
  api_ = nullptr;
  if (exporter_)
    caf::anon_send_exit(exporter_, caf::exit_reason::user_shutdown);
  exporter_ = nullptr;
}

void served_node::listen(const api_options& options) {
  net::http_server_options http;
  http.port = options.listen.port;
  http.max_connections = options.max_connections;
  http.max_head_bytes = options.max_head_bytes;
  http.max_body_bytes = options.max_body_bytes;
  http.head_timeout = options.head_timeout;
  http.body_timeout = options.body_timeout;
  http.write_timeout = options.write_timeout;
  http.idle_timeout = options.idle_timeout;
  http.refusal = refusal;
  http.streams_body = [](std::string_view method, std::string_view target,
                         const net::headers& headers) {
    return method == "POST" && target.substr(0, target.find('?')) == "/v1/tasks" &&
           api::media_type(headers) == "application/x-ndjson";
  };
  // Whoever may not ask need not send what it asks for.
  http.refuses_body = [door = std::make_shared<const api::gate>(options, tokens_)](
                          std::string_view method, std::string_view target,
                          const net::headers& headers) -> std::optional<net::http_response> {
    auto to = api::find_destination(method, target.substr(0, target.find('?')));
    if (auto wrong = to.wrong ? to.wrong : door->check_access(headers, to.right))
      return api::to_response(*wrong);
    return std::nullopt;
  };
  encrypted_ = !options.tls_certificate.empty();
  if (encrypted_)
    http.tls = net::tls_files{options.tls_certificate, options.tls_key};
  auto handle = [to = api_](std::shared_ptr<net::http_exchange> exchange) {
    caf::anon_send(to, api::http_call{std::move(exchange)});
  };
  auto loops = node_.callers_loops();
  for (const auto& address : options.listen.addresses) {
    http.address = address;
    try {
      servers_.push_back(
          std::make_unique<net::http_server>(loops.front()->context(), http, handle));
      const auto& listening = *servers_.back();
      for (std::size_t i = 1; i < loops.size(); ++i)
        servers_.push_back(
            std::make_unique<net::http_server>(loops[i]->context(), listening, handle));
    } catch (const boost::system::system_error& error) {
      // A machine without IPv6 has only one half of "localhost".
      if (servers_.empty() || !is_missing_ipv6(error))
        throw;
    }
    http.port = servers_.front()->port();
  }
  host_ = options.listen.addresses.front();
}

std::string served_node::url() const {
  return (encrypted_ ? "https://" : "http://") +
         net::host_and_port(host_, servers_.front()->port());
}

void served_node::change_tokens(token_set tokens) {
  tokens_->set(std::move(tokens));
}

} // namespace rolecall
