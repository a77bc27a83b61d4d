#include "app/client/node_client.hpp"

#include "app/client/refusal.hpp"
#include "messages/json_codec.hpp"

#include <optional>

namespace rolecall::client {

namespace {

// A task's output may be as deep as it may be, and stands a few levels down in a list.
constexpr json_limits answer_limits{node_client::max_answer_bytes, max_payload_depth + 16};

const net::headers accept_json{{"Accept", "application/json"}};

net::http_client_options options_for(const node_address& where) {
  net::http_client_options options;
  options.ca_file = where.ca_file;
  options.max_connections_per_origin = 16;
  return options;
}

} // namespace

node_client::node_client(node_address where) try
    : address_{std::move(where)}, http_{context_, options_for(address_)} {
} catch (const std::runtime_error& error) { // the file with the certificates
  throw wrong_input(std::string{"--ca: "} + error.what());
}

node_client::~node_client() {
  context_.stop(); // nobody runs it any more, and the client may know that
}

net::http_request node_client::request(std::string method, const std::string& path,
                                       net::headers headers) const {
  net::http_request result;
  result.method = std::move(method);
  result.headers = std::move(headers);
  result.url = address_.base + path;
  result.connect_timeout = connect_timeout;
  result.timeout = call_timeout;
  result.max_body_bytes = max_answer_bytes;
  if (!address_.token.empty())
    result.headers.push_back({"Authorization", "Bearer " + address_.token});
  return result;
}

node_client::answer node_client::read(const std::string& what, net::http_result result) const {
  if (const auto* failure = std::get_if<net::http_failure>(&result))
    return no_answer(where(), *failure);
  const auto& response = std::get<net::http_response>(result);
  if (response.status / 100 != 2)
    return response.status / 100 == 3 ? not_a_node(what, where(), "it redirects to another place")
                                      : refusal(what, where(), response);
  std::vector<problem> problems;
  if (!parse_json(response.body, answer_limits, problems))
    return not_a_node(what, where(), "its JSON " + problems.front().what);
  return json::parse(response.body);
}

json node_client::call(const std::string& method, const std::string& path, const std::string& type,
                       std::string body) {
  auto asked = request(method, path, accept_json);
  if (!type.empty()) {
    asked.headers.push_back({"Content-Type", type});
    asked.body = std::make_shared<const std::string>(std::move(body));
  }
  std::optional<answer> result;
  http_.start(std::move(asked),
              [&](net::http_result got) { result = read(method + " " + path, std::move(got)); });
  while (!result) // the call itself has a bound
    context_.run_one();
  if (auto* error = std::get_if<client_error>(&*result))
    throw *error;
  return std::get<json>(std::move(*result));
}

void node_client::start_get(const std::string& path, std::function<void(answer)> done) {
  http_.start(request("GET", path, accept_json),
              [this, path, done = std::move(done)](net::http_result got) {
                done(read("GET " + path, std::move(got)));
              });
}

net::http_client::call_id node_client::start_stream(stream_request asked,
                                                    std::function<void(std::string_view)> on_data,
                                                    std::function<void(net::http_result)> done) {
  auto full = request(std::move(asked.method), asked.path, std::move(asked.headers));
  full.body = std::move(asked.body);
  full.timeout = asked.silence;
  full.max_body_bytes = 1u << 20; // of a refusal
  full.on_data = std::move(on_data);
  return http_.start(std::move(full), std::move(done));
}

std::string task_path(const std::string& id, const std::string& tail) {
  return "/v1/tasks/" + net::encode_path_segment(id) + tail;
}

std::string query_of(std::initializer_list<std::pair<std::string_view, std::string>> parameters) {
  std::string result;
  for (const auto& [name, value] : parameters)
    if (!value.empty())
      result +=
          (result.empty() ? "?" : "&") + std::string{name} + "=" + net::encode_path_segment(value);
  return result;
}

const json& array_in(const json& answer, const char* key, const std::string& what,
                     const node_client& node) {
  auto found = answer.is_object() ? answer.find(key) : answer.end();
  if (found == answer.end() || !found->is_array())
    throw not_a_node(what, node.where(), std::string{"there is no list \""} + key + "\" in it");
  return *found;
}

} // namespace rolecall::client
