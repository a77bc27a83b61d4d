#include "actors/workers/receipts.hpp"

#include "net/sha256.hpp"

#include <algorithm>

namespace rolecall {

namespace {

std::string without_secrets(const std::string& url) {
  auto result = url.substr(0, std::min(url.find('?'), url.find('#')));
  auto scheme = result.find("://");
  auto host = scheme == std::string::npos ? 0 : scheme + 3;
  auto path = result.find('/', host);
  if (auto at = result.rfind('@', path); at != std::string::npos && at >= host)
    result.erase(host, at + 1 - host);
  return result;
}

} // namespace

receipt receipt_of(const net::http_request& request, const std::string& node) {
  receipt result;
  result.node = node;
  result.url = without_secrets(request.url);
  std::string_view body = request.body ? std::string_view{*request.body} : std::string_view{};
  result.request_bytes = body.size();
  result.request_sha256 = net::sha256_hex(body);
  return result;
}

void complete(receipt& sent, const net::http_result& result) {
  const auto* lost = std::get_if<net::http_failure>(&result);
  const auto& answer = lost ? lost->partial : std::get<net::http_response>(result);
  sent.http_status = answer.status;
  sent.first_byte = answer.first_byte;
  if (answer.status == 0)
    return; // there was no answer, so there is no body either
  sent.answer_bytes = answer.body.size();
  sent.answer_sha256 = net::sha256_hex(answer.body);
}

} // namespace rolecall
