#include "app/api/response.hpp"

#include "messages/json_codec.hpp"
#include "net/syntax.hpp"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <stdexcept>

namespace rolecall::api {

namespace {

constexpr std::size_t worth_compressing = 1'024;

/// FNV-1a, 64 bits: tells contents apart, and protects nothing.
std::uint64_t hash(std::string_view text) {
  std::uint64_t result = 14'695'981'039'346'656'037ull;
  for (unsigned char c : text)
    result = (result ^ c) * 1'099'511'628'211ull;
  return result;
}

/// Weak: the compressed form is another sequence of bytes with the same tag.
std::string entity_tag(std::string_view body) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "W/\"%016llx\"",
                static_cast<unsigned long long>(hash(body)));
  return text.data();
}

/// Calls `visit` for each item of a comma-separated header until it says true.
template <class Visit>
bool any_item(std::string_view list, Visit visit) {
  while (!list.empty()) {
    auto end = std::min(list.find(','), list.size());
    if (visit(net::trim(list.substr(0, end))))
      return true;
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return false;
}

bool is_known(std::string_view tags, std::string_view tag) {
  return any_item(tags, [&](std::string_view each) {
    return each == "*" || each == tag || (!each.starts_with("W/") && each == tag.substr(2));
  });
}

bool is_text(const net::headers& headers) {
  auto type = net::find_header(headers, "content-type").value_or("");
  return type.starts_with("text/") || type.find("json") != std::string_view::npos ||
         type.find("svg") != std::string_view::npos;
}

} // namespace

net::http_response json_response(unsigned status, const json& body) {
  return json_text_response(status, dump(body));
}

net::http_response json_text_response(unsigned status, std::string body) {
  return {status, {{"Content-Type", "application/json"}}, std::move(body) + "\n"};
}

bool accepts_gzip(const net::headers& request) {
  std::optional<bool> gzip_itself; // what is said of it counts more than what is said of all
  auto any = false;
  any_item(net::find_header(request, "accept-encoding").value_or(""), [&](std::string_view item) {
    auto name = net::trim(item.substr(0, item.find(';')));
    auto quality = item.find("q=");
    auto wanted = quality == std::string_view::npos ||
                  std::strtod(std::string{item.substr(quality + 2)}.c_str(), nullptr) > 0;
    if (net::same_without_case(name, "gzip"))
      gzip_itself = wanted;
    else if (name == "*")
      any = wanted;
    return false;
  });
  return gzip_itself.value_or(any);
}

std::string gzip(const std::string& text) {
  z_stream stream{};
  constexpr int gzip_window = 15 + 16;
  if (deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, gzip_window, 8, Z_DEFAULT_STRATEGY) != Z_OK)
    throw std::runtime_error{"zlib cannot start"};
  std::string result(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(result.data());
  stream.avail_out = static_cast<uInt>(result.size());
  deflate(&stream, Z_FINISH);
  result.resize(stream.total_out);
  deflateEnd(&stream);
  return result;
}

net::http_response finished(const net::http_exchange& request, net::http_response response) {
  auto& headers = response.headers;
  headers.push_back({"X-Content-Type-Options", "nosniff"});
  constexpr std::size_t most = 256u << 20; // what zlib counts in 32 bits
  auto pays =
      response.body.size() >= worth_compressing && response.body.size() <= most && is_text(headers);
  if (pays)
    headers.push_back({"Vary", "Accept-Encoding"});
  auto reads = request.method() == "GET" || request.method() == "HEAD";
  if (reads && response.status == 200) {
    auto tag = entity_tag(response.body);
    headers.push_back({"ETag", tag});
    if (!net::find_header(headers, "cache-control"))
      headers.push_back({"Cache-Control", "no-cache"});
    if (is_known(net::find_header(request.headers(), "if-none-match").value_or(""), tag)) {
      response.status = 304;
      response.body.clear();
      return response;
    }
  }
  if (pays && accepts_gzip(request.headers())) {
    response.body = gzip(response.body);
    headers.push_back({"Content-Encoding", "gzip"});
  }
  return response;
}

} // namespace rolecall::api
