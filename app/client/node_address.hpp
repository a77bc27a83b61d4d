#pragma once

#include <CLI/CLI.hpp>

#include <string>

namespace rolecall::client {

/// The options that all commands which talk to a node have in common, as they were given.
struct node_options {
  std::string node;
  std::string token_file;
  std::string ca_file;
};

/// Adds `--node`, `--token-file` and `--ca`. `options` outlives the parsing.
void add_node_options(CLI::App& command, node_options& options);

/// Where a node is, and how it is spoken to. Checked.
struct node_address {
  std::string base;    ///< URL without a slash at the end
  std::string token;   ///< empty: none. A secret: never shown
  std::string ca_file; ///< empty: the system's certificate store
};

/// The address that the options and the environment (ROLECALL_NODE, ROLECALL_TOKEN) name; the
/// default is http://127.0.0.1:7480. Throws `client_error` if something is wrong with it.
node_address find_node(const node_options& options);

} // namespace rolecall::client
