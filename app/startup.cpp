#include "app/startup.hpp"

#include "app/agents_service/roles_file.hpp"
#include "net/event_loop.hpp"
#include "net/pooled_http_client.hpp"

#include <cstdio>
#include <future>

namespace rolecall {

namespace {

constexpr std::size_t max_file_bytes = 256u << 20;

/// Whether something answers under the URL of a service.
bool answers(const std::string& url) {
  net::event_loop loop;
  net::pooled_http_client client{loop.context(), {}};
  std::promise<bool> answered;
  net::http_request request;
  request.url = url + "/health";
  request.timeout = request.connect_timeout = millis{2'000};
  client.start(std::move(request), [&](const net::http_result& result) {
    answered.set_value(std::holds_alternative<net::http_response>(result));
  });
  return answered.get_future().get();
}

/// A path as people read it: relative to where they are, if it lies below.
std::string shown(const std::filesystem::path& path) {
  std::error_code error;
  auto relative = std::filesystem::proximate(path, error);
  return error || relative.string().starts_with("..") ? path.string() : relative.string();
}

} // namespace

void tell(const std::string& text) {
  std::fprintf(stderr, "rolecall: %s\n", text.c_str());
}

void refuse(const std::string& source, const std::vector<problem>& problems) {
  for (const auto& problem : problems)
    tell(source + ": " + to_text(problem));
  throw wrong_input{};
}

void refuse(const std::string& text) {
  tell(text);
  throw wrong_input{};
}

std::string read_input(const std::string& file) {
  auto text = read_file(file == "-" ? "/dev/stdin" : file, max_file_bytes);
  if (const auto* wrong = std::get_if<1>(&text))
    refuse(*wrong);
  return std::get<0>(std::move(text));
}

config load_config(const std::string& file) {
  if (file.empty())
    return default_config();
  auto parsed = parse_config(read_input(file));
  if (const auto* problems = std::get_if<std::vector<problem>>(&parsed))
    refuse(file, *problems);
  return std::get<config>(std::move(parsed));
}

opened_journal open_journal(const std::string& file) {
  if (file.empty())
    return {};
  auto opened = journal_store::open(file, journal_store::access::write);
  if (const auto* wrong = std::get_if<journal_store::problem>(&opened))
    refuse(wrong->message);
  opened_journal result;
  result.store = std::get<0>(std::move(opened));
  auto content = result.store->read_all();
  if (const auto* wrong = std::get_if<journal_store::problem>(&content))
    refuse(wrong->message);
  result.content = std::make_shared<journal_content>(std::get<0>(std::move(content)));
  return result;
}

token_set read_tokens(const std::string& file) {
  auto tokens = load_tokens(file);
  if (const auto* problems = std::get_if<std::vector<problem>>(&tokens)) {
    for (const auto& each : *problems)
      tell(to_text(each));
    throw wrong_input{};
  }
  return std::get<token_set>(std::move(tokens));
}

std::unique_ptr<bundled_service>
start_bundled(const std::string& roles_file, bool configuration_is_default, config& settings,
              const std::function<void(const std::string&)>& note) {
  auto& first = settings.fleet.services.front();
  if (roles_file.empty() && (!configuration_is_default || answers(first.url)))
    return nullptr;
  auto roles =
      roles_file.empty() ? agents::default_roles_file() : std::filesystem::path{roles_file};
  if (roles.empty())
    refuse("no agents service answers at " + first.url +
           ", and the example roles are not installed; name a file with --roles");
  std::vector<problem> problems;
  if (!agents::load_roles_file(roles, problems))
    refuse(shown(roles), problems);
  auto why = roles_file.empty() ? "no agents service answers at " + first.url + ": " : "";
  auto service = std::make_unique<bundled_service>(roles);
  note(why + "started the bundled one at " + service->url() + " with the roles of " + shown(roles));
  settings.fleet.services = {{service_name{"bundled"}, service->url()}};
  for (auto& [name, policy] : settings.fleet.roles)
    policy.service = {};
  return service;
}

} // namespace rolecall
