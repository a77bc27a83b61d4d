#include "app/config_node.hpp"

#include "net/http.hpp"

#include <algorithm>
#include <array>

namespace rolecall {

namespace {

struct section_reader {
  std::vector<problem>& problems;
  node_options& result;

  template <class Number>
  void size(object_reader& object, const char* key, std::int64_t min, std::int64_t max,
            Number& into) {
    if (auto value = object.integer(key, min, max))
      into = static_cast<Number>(*value);
  }

  void time(object_reader& object, const char* key, millis& into) {
    into = object.duration(key, millis{1}).value_or(into);
  }

  void node(const nlohmann::json& value) {
    object_reader object{value, "/node", problems};
    result.name = object.name("name", 64).value_or(result.name);
    result.drain_timeout =
        object.duration("drain_timeout", millis{0}).value_or(result.drain_timeout);
    size(object, "threads", 1, 64, result.threads);
    object.finish();
  }

  void api(const nlohmann::json& value) {
    auto& api = result.api;
    object_reader object{value, "/api", problems};
    if (auto listen = object.string("listen")) {
      auto parsed = parse_listen_address(*listen);
      if (const auto* wrong = std::get_if<std::string>(&parsed))
        object.complain("listen", *wrong);
      else
        api.listen = std::get<listen_address>(std::move(parsed));
    }
    api.cors_origins = object.strings("cors_origins").value_or(api.cors_origins);
    for (const auto& origin : api.cors_origins)
      if (!is_origin(origin))
        object.complain("cors_origins", "\"" + origin +
                                            "\" is no origin; write it like https://example.org, "
                                            "without a path");
    api.token_file = object.string("tokens").value_or(api.token_file);
    if (const auto* tls = object.object("tls"))
      read_tls(*tls);
    api.insecure = object.boolean("insecure").value_or(api.insecure);
    size(object, "max_connections", 1, 1'000'000, api.max_connections);
    size(object, "max_body_bytes", 1'024, std::int64_t{1} << 32, api.max_body_bytes);
    size(object, "max_head_bytes", 1'024, 1 << 20, api.max_head_bytes);
    time(object, "head_timeout", api.head_timeout);
    time(object, "body_timeout", api.body_timeout);
    time(object, "write_timeout", api.write_timeout);
    time(object, "idle_timeout", api.idle_timeout);
    size(object, "event_buffer", 1, 10'000'000, api.event_buffer);
    size(object, "max_event_backlog_bytes", 1'024, std::int64_t{1} << 32,
         api.max_event_backlog_bytes);
    if (const auto* limit = object.object("rate_limit")) {
      object_reader rate{*limit, "/api/rate_limit", problems};
      auto& into = api.rate_limit;
      into.requests_per_second =
          rate.number("requests_per_second", 0, 1e9).value_or(into.requests_per_second);
      size(rate, "burst", 1, 1'000'000'000, into.burst);
      rate.finish();
    }
    object.finish();
    if (auto wrong = exposure_problem(api))
      object.complain("listen", *wrong);
  }

  void read_tls(const nlohmann::json& value) {
    object_reader object{value, "/api/tls", problems};
    result.api.tls_certificate = object.string("certificate").value_or("");
    result.api.tls_key = object.string("key").value_or("");
    if (result.api.tls_certificate.empty() != result.api.tls_key.empty())
      object.complain(result.api.tls_key.empty() ? "key" : "certificate",
                      "is missing: TLS needs both a certificate and a key");
    object.finish();
  }

  void log(const nlohmann::json& value) {
    object_reader object{value, "/log", problems};
    constexpr std::array levels{"trace", "debug", "info", "warn", "error", "off"};
    if (auto level = object.string("level")) {
      if (std::find(levels.begin(), levels.end(), *level) == levels.end())
        object.complain("level",
                        "must be trace, debug, info, warn, error or off, not \"" + *level + "\"");
      result.log.level = *level;
    }
    if (auto format = object.string("format")) {
      if (*format == "text")
        result.log.format = log_format::text;
      else if (*format == "json")
        result.log.format = log_format::json;
      else if (*format != "auto")
        object.complain("format", "must be auto, text or json, not \"" + *format + "\"");
    }
    object.finish();
  }

  void tracing(const nlohmann::json& value) {
    object_reader object{value, "/tracing", problems};
    result.otlp_url = object.string("otlp_url").value_or("");
    if (!result.otlp_url.empty())
      if (auto parsed = net::parse_url(result.otlp_url); parsed.index() == 1)
        object.complain("otlp_url", std::get<1>(parsed));
    while (!result.otlp_url.empty() && result.otlp_url.back() == '/')
      result.otlp_url.pop_back();
    object.finish();
  }

  static bool is_origin(const std::string& text) {
    auto parsed = net::parse_url(text);
    const auto* url = std::get_if<net::url>(&parsed);
    return url && url->target == "/" && text.back() != '/';
  }
};

} // namespace

std::optional<std::string> exposure_problem(const api_options& api) {
  if (api.listen.loopback || api.insecure)
    return std::nullopt;
  std::string missing;
  if (api.token_file.empty())
    missing = "tokens (/api/tokens)";
  if (api.tls_certificate.empty())
    missing += std::string{missing.empty() ? "" : " and "} + "TLS (/api/tls)";
  if (missing.empty())
    return std::nullopt;
  return "\"" + api.listen.text + "\" can be reached from other machines, and needs " + missing +
         "; if everybody there may use this node, set /api/insecure";
}

void read_node_sections(object_reader& root, std::vector<problem>& problems, node_options& result) {
  section_reader read{problems, result};
  if (const auto* node = root.object("node"))
    read.node(*node);
  if (const auto* api = root.object("api"))
    read.api(*api);
  if (const auto* log = root.object("log"))
    read.log(*log);
  if (const auto* tracing = root.object("tracing"))
    read.tracing(*tracing);
}

} // namespace rolecall
