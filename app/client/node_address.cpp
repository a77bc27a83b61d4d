#include "app/client/node_address.hpp"

#include "app/client/client_error.hpp"
#include "app/config.hpp"

#include <algorithm>
#include <cstdlib>

namespace rolecall::client {

namespace {

constexpr const char* default_node = "http://127.0.0.1:7480";
constexpr std::size_t max_token_bytes = 8'192;

std::string environment(const char* name) {
  const auto* value = std::getenv(name);
  return value ? value : "";
}

/// RFC 6750 gives tokens few characters; what would break a header is refused in any case.
std::string checked_token(std::string token, const std::string& source) {
  while (!token.empty() && (token.back() == '\n' || token.back() == '\r'))
    token.pop_back();
  auto fits = [](unsigned char c) { return c > 0x20 && c < 0x7f; };
  if (token.empty())
    throw wrong_input(source + " is empty: it should hold a token");
  if (!std::all_of(token.begin(), token.end(), fits))
    throw wrong_input(source + " does not hold a token: there are blanks or characters that are "
                               "not ASCII in it");
  return token;
}

std::string find_token(const std::string& file) {
  if (!file.empty()) {
    auto text = read_file(file, max_token_bytes);
    if (const auto* wrong = std::get_if<1>(&text))
      throw wrong_input("--token-file: " + *wrong);
    return checked_token(std::get<0>(std::move(text)), "--token-file: " + file);
  }
  auto token = environment("ROLECALL_TOKEN");
  return token.empty() ? token : checked_token(token, "the environment variable ROLECALL_TOKEN");
}

} // namespace

void add_node_options(CLI::App& command, node_options& options) {
  command
      .add_option("--node", options.node,
                  std::string{"The node (default: ROLECALL_NODE, or "} + default_node + ")")
      ->type_name("URL");
  command
      .add_option("--token-file", options.token_file,
                  "File with the token for the node (default: the token in ROLECALL_TOKEN)")
      ->type_name("FILE");
  command
      .add_option("--ca", options.ca_file,
                  "Certificates (PEM) to trust with https (default: the system's)")
      ->type_name("FILE");
}

node_address find_node(const node_options& options) {
  auto given = !options.node.empty();
  auto base = given ? options.node : environment("ROLECALL_NODE");
  if (base.empty())
    base = default_node;
  if (auto wrong = service_url_problem(base)) // not the URL itself: it may hold a password
    throw wrong_input(std::string{given ? "--node: " : "the environment variable ROLECALL_NODE: "} +
                      *wrong + "\n  a node's URL looks like " + default_node);
  while (base.back() == '/')
    base.pop_back();
  return {base, find_token(options.token_file), options.ca_file};
}

} // namespace rolecall::client
