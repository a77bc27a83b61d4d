#pragma once

#include "net/http_client.hpp"

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace rolecall::tests {

/// An HTTP client whose answers the test gives: calls wait here until the test, or a script of the
/// test, answers them.
class scripted_client : public net::http_client {
public:
  struct call {
    call_id id;
    net::http_request request;
    handler done;

    std::string line() const { return request.method + " " + request.url; }
    std::string body() const { return request.body ? *request.body : std::string{}; }
  };

  call_id start(net::http_request request, handler done) override {
    auto id = ++last_id_;
    history.push_back(request.method + " " + request.url);
    if (script)
      if (auto result = script(request)) {
        done(*result);
        return id;
      }
    calls.push_back({id, std::move(request), std::move(done)});
    return id;
  }

  void cancel(call_id id) override {
    canceled.push_back(id);
    auto found =
        std::find_if(calls.begin(), calls.end(), [&](const auto& c) { return c.id == id; });
    if (found == calls.end())
      return;
    auto done = std::move(found->done);
    calls.erase(found);
    done(net::http_failure{net::http_errc::canceled, "canceled"});
  }

  /// The oldest call that waits and whose "METHOD URL" contains `part`; null if there is none.
  call* find(const std::string& part) {
    for (auto& c : calls)
      if (c.line().find(part) != std::string::npos)
        return &c;
    return nullptr;
  }

  std::size_t waiting(const std::string& part) const {
    return static_cast<std::size_t>(std::count_if(calls.begin(), calls.end(), [&](const auto& c) {
      return c.line().find(part) != std::string::npos;
    }));
  }

  /// Answers the oldest call whose "METHOD URL" contains `part`; false if there is none.
  bool answer(const std::string& part, net::http_result result) {
    auto* found = find(part);
    if (!found)
      return false;
    auto done = std::move(found->done);
    auto id = found->id;
    std::erase_if(calls, [&](const auto& c) { return c.id == id; });
    done(std::move(result));
    return true;
  }

  bool answer(const std::string& part, unsigned status, std::string body,
              net::headers headers = {}) {
    return answer(part, net::http_response{status, std::move(headers), std::move(body)});
  }

  /// Asked first; what it does not answer waits.
  std::function<std::optional<net::http_result>(const net::http_request&)> script;
  std::deque<call> calls;
  std::vector<std::string> history; // "METHOD URL" of every call
  std::vector<call_id> canceled;

private:
  call_id last_id_{0};
};

} // namespace rolecall::tests
