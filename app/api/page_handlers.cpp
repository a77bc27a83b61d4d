// What is part of the program: the description of the API, the errors, the dashboard.
#include "app/api/handlers.hpp"

#include "app/api/embedded.hpp"

namespace rolecall::api {

namespace {

/// The pages ask nobody but this node, and run nothing but the modules that come with it.
constexpr const char* content_security_policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

net::http_response page(std::string_view type, std::string content) {
  return {200,
          {{"Content-Type", std::string{type}},
           {"Content-Security-Policy", content_security_policy},
           {"Referrer-Policy", "no-referrer"}},
          std::move(content)};
}

void show(api_self self, const call_ptr& request, std::string_view name) {
  if (refuse_wrong_query(self, request))
    return;
  const auto* file = embedded(name);
  if (file)
    reply(self, request, page(file->type, std::string{file->content}));
  else
    refuse(self, request, {"not_found", "there is no such file", {}, {}});
}

} // namespace

void show_openapi(api_self self, const call_ptr& request) {
  show(self, request, "openapi.json");
}

void show_errors(api_self self, const call_ptr& request) {
  if (!refuse_wrong_query(self, request))
    reply(self, request, page("text/html; charset=utf-8", errors_page()));
}

void show_dashboard(api_self self, const call_ptr& request) {
  show(self, request, "index.html");
}

void show_asset(api_self self, const call_ptr& request) {
  show(self, request, request->path[1]);
}

} // namespace rolecall::api
