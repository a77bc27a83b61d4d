#pragma once

#include "app/client/client_error.hpp"
#include "app/client/node_address.hpp"
#include "messages/values.hpp"
#include "net/pooled_http_client.hpp"

#include <boost/asio/io_context.hpp>
#include <nlohmann/json.hpp>

#include <functional>
#include <string>
#include <string_view>
#include <variant>

namespace rolecall::client {

/// The JSON of a node's answer; its members stay in the node's order.
using json = nlohmann::ordered_json;

/// A node, spoken to over HTTP. Everything happens on the one thread that uses it: the blocking
/// calls run the event loop until their answer is there, and so does `run_for`.
class node_client {
public:
  using answer = std::variant<json, client_error>;

  /// Throws `client_error` if the address's certificates cannot be read.
  explicit node_client(node_address where);
  ~node_client();
  node_client(const node_client&) = delete;
  node_client& operator=(const node_client&) = delete;

  const std::string& where() const noexcept { return address_.base; }
  boost::asio::io_context& context() noexcept { return context_; }

  /// Each gives the JSON of a 2xx answer, or throws `client_error`. `path` begins with "/v1/"; each
  /// ends after `call_timeout` at the latest.
  json get(const std::string& path) { return call("GET", path, {}, {}); }
  json post(const std::string& path) { return call("POST", path, {}, {}); }
  json post_json(const std::string& path, std::string body) {
    return call("POST", path, "application/json", std::move(body));
  }
  json remove(const std::string& path) { return call("DELETE", path, {}, {}); }

  /// The same without waiting: `done` gets the answer while the loop runs.
  void start_get(const std::string& path, std::function<void(answer)> done);

  /// A call whose 2xx body goes to `on_data` as it comes.
  struct stream_request {
    std::string method{"GET"};
    std::string path;
    net::headers headers; ///< Accept among them
    std::shared_ptr<const std::string> body{};
    millis silence{0}; ///< the longest wait for a piece of the answer
  };
  /// Gives the id to cancel it with.
  net::http_client::call_id start_stream(stream_request asked,
                                         std::function<void(std::string_view)> on_data,
                                         std::function<void(net::http_result)> done);
  void cancel(net::http_client::call_id id) { http_.cancel(id); }

  /// Runs what is under way, for that long at the most; returns earlier if something has happened.
  void run_for(millis limit) { context_.run_one_for(limit); }

  static constexpr millis connect_timeout{3'000};
  static constexpr millis call_timeout{30'000};
  static constexpr std::size_t max_answer_bytes = 256u << 20;

private:
  json call(const std::string& method, const std::string& path, const std::string& type,
            std::string body);
  net::http_request request(std::string method, const std::string& path,
                            net::headers headers) const;
  answer read(const std::string& what, net::http_result result) const;

  node_address address_;
  boost::asio::io_context context_{1};
  net::pooled_http_client http_;
};

/// "/v1/tasks/{id}" and `tail`, with the id encoded.
std::string task_path(const std::string& id, const std::string& tail = "");

/// A query from names and values; those with an empty value are left out. Begins with '?' if there
/// is anything in it.
std::string query_of(std::initializer_list<std::pair<std::string_view, std::string>> parameters);

/// The array `key` of a node's answer to `what`; throws `client_error` if there is none.
const json& array_in(const json& answer, const char* key, const std::string& what,
                     const node_client& node);

} // namespace rolecall::client
