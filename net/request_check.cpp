#include "net/request_check.hpp"

#include "net/syntax.hpp"

#include <algorithm>
#include <variant>

namespace rolecall::net {

const char* make_origin_form(message& request) {
  auto hosts = std::count_if(request.headers.begin(), request.headers.end(), [](const auto& entry) {
    return same_without_case(entry.name, "host");
  });
  if (hosts > 1 || (hosts == 0 && request.minor_version == 1))
    return "the request needs one Host header";
  auto& target = request.target;
  if (target.find('#') != std::string::npos)
    return "the request target has a fragment";
  if (target.starts_with('/') || (target == "*" && request.method == "OPTIONS"))
    return nullptr;
  auto absolute = parse_url(target);
  if (auto* parsed = std::get_if<url>(&absolute)) {
    target = std::move(parsed->target);
    return nullptr;
  }
  return "the request target is neither a path nor a URL";
}

} // namespace rolecall::net
